import type { Page, SendClaim } from './send.ts'

/** The most bytes of target lines in a page that is committed together with others. */
const MAX_SHARED_BYTES = 16 * 1024

/** A page of a claimed send. */
export interface WalkedPage {
  claim: SendClaim
  page: Page
}

/**
 * Whether a page may be committed together with others: it is the only one of a small send. Many of these are committed
 * at once when many scheduled sends are due in the same second.
 */
export function isOnlySmallPage({ claim, page }: WalkedPage): boolean {
  let bytes = 0
  for (const { lane, targets } of page.batches) {
    if (lane !== 'small' || targets.kind !== 'lines') return false
    bytes += targets.lines.length
  }
  return claim.cursor === undefined && page.cursor === undefined && bytes <= MAX_SHARED_BYTES
}

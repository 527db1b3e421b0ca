import type { Page, Send } from './send.ts'

/** The most bytes of a send that is stored together with others: some KB of content, and few targets. */
const MAX_SHARED_BYTES = 16 * 1024
/** The approximate bytes of a send without its texts. */
const FIXED_BYTES = 500

/** The approximate bytes of a send with its first batches. */
export function estimateBytes({ recipient, content }: Send, page: Page | undefined): number {
  let bytes = FIXED_BYTES
  for (const { json } of content.notifications.values()) bytes += json.length
  const texts = recipient.kind === 'native' ? [recipient.values] : Object.values(recipient.filter)
  for (const values of texts) for (const value of values) bytes += value.length
  for (const { targets } of page?.batches ?? []) bytes += targets.kind === 'lines' ? targets.lines.length : 0
  return bytes
}

/**
 * Whether a send may be stored in one statement or script with others. A large one, or one that begins with ranges,
 * would hold them up.
 */
export function canShare(send: Send, page: Page | undefined): boolean {
  const batches = page?.batches ?? []
  return batches.every(({ targets }) => targets.kind === 'lines') && estimateBytes(send, page) <= MAX_SHARED_BYTES
}

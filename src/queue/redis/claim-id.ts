// The id of a claim names its stream too: entries of two streams that one script writes often have the same id.
import type { ClaimKey } from '../batch.ts'

/** The id of the claim of an entry. */
export function makeClaimId({ lane, provider }: Pick<ClaimKey, 'lane' | 'provider'>, entry: string): string {
  return `${lane}/${provider}/${entry}`
}

/** The id of the entry in its stream. */
export function entryOf({ id }: Pick<ClaimKey, 'id'>): string {
  return id.slice(id.lastIndexOf('/') + 1)
}

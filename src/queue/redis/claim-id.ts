// The id of a claim is the id of its stream entry and the name of the stream. The name is needed because entries that
// one script writes to two streams often have the same id.
import type { ClaimKey } from '../batch.ts'

/** Makes the id of a claim from the id of the claimed stream entry. */
export function makeClaimId({ lane, provider }: Pick<ClaimKey, 'lane' | 'provider'>, entry: string): string {
  return `${lane}/${provider}/${entry}`
}

/** The id of the stream entry that a claim is for. */
export function entryOf({ id }: Pick<ClaimKey, 'id'>): string {
  return id.slice(id.lastIndexOf('/') + 1)
}

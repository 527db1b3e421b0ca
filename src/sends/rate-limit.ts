/** The compiled key of a rate limit: texts and variables of the device, in order. */
export type KeyTemplate = readonly (string | { variable: 'id' | 'user' })[]

/** One policy of a rate limit: at most `rate` pushes per key in any interval of `intervalMs`. */
export interface RatePolicy {
  rate: number
  intervalMs: number
}

/** The rate limit of a send: how many pushes may have the same key in an interval. */
export interface RateLimit {
  /** The key of a push is rendered from this template. All pushes with the same key count together. */
  key: KeyTemplate
  /** The policies, at least one. All of them have to allow a push. */
  policies: readonly RatePolicy[]
  /** Whether a push over the limit is dropped; otherwise it is delayed. */
  isDropped: boolean
}

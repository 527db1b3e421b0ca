/** The compiled key of a rate limit: texts and variables of the device, in order. */
export type KeyTemplate = readonly (string | { variable: 'id' | 'user' })[]

/** At most `rate` pushes per key in any `intervalMs`. */
export interface RatePolicy {
  rate: number
  intervalMs: number
}

/** The rate limit of a send. */
export interface RateLimit {
  /** Pushes with the same rendered key count together. */
  key: KeyTemplate
  /** At least one; all of them have to allow a push. */
  policies: readonly RatePolicy[]
  /** A push over the limit is dropped; otherwise it is delayed. */
  isDropped: boolean
}

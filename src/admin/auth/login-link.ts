import { randomBytes, timingSafeEqual } from 'node:crypto'

/** The link is printed on a terminal, so it is not valid for long. */
const VALID_MS = 60 * 60_000

/** The token of a link that logs in once. */
export class LoginLink {
  readonly #now: () => number
  readonly #expiresAtMs: number
  #token: Buffer | undefined = randomBytes(16)

  /** @param now Unix time in ms */
  constructor(now: () => number) {
    this.#now = now
    this.#expiresAtMs = now() + VALID_MS
  }

  /** The token as text; empty after it was used. */
  get token(): string {
    return this.#token?.toString('base64url') ?? ''
  }

  /** Uses the link. Returns true for the right token, once. */
  use(token: string): boolean {
    const given = Buffer.from(token, 'base64url')
    if (!this.#token || this.#now() > this.#expiresAtMs) return false
    if (given.length !== this.#token.length || !timingSafeEqual(given, this.#token)) return false
    this.#token = undefined
    return true
  }
}

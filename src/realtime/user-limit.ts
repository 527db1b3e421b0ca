/** The time in ms after which an unused allowance is full again. */
const WINDOW_MS = 60_000

interface Deps {
  /** The most calls of a user in a minute; more than a single call costs. */
  perMinute: number
  /** Milliseconds of a clock that is never set back. */
  now(): number
}

/**
 * Limits the calls of each user: an allowance of one minute, which fills evenly. Each process counts by itself, so that
 * a call does not wait for a store.
 */
export class UserLimit {
  readonly #deps: Deps
  readonly #allowances = new Map<string, { left: number; atMs: number }>()
  #prunedAtMs: number

  constructor(deps: Deps) {
    this.#deps = deps
    this.#prunedAtMs = deps.now()
  }

  /** Takes `cost` from the allowance of a user. False: too little is left, and nothing was taken. */
  take(user: string, cost: number): boolean {
    const { perMinute, now } = this.#deps
    const nowMs = now()
    this.#prune(nowMs)
    const known = this.#allowances.get(user)
    const filled = known ? known.left + ((nowMs - known.atMs) / WINDOW_MS) * perMinute : perMinute
    const left = Math.min(perMinute, filled)
    const isAllowed = left >= cost
    this.#allowances.set(user, { left: isAllowed ? left - cost : left, atMs: nowMs })
    return isAllowed
  }

  /** Forgets full allowances, so that the memory is that of the users of the last two minutes. */
  #prune(nowMs: number): void {
    if (nowMs - this.#prunedAtMs < WINDOW_MS) return
    this.#prunedAtMs = nowMs
    for (const [user, { atMs }] of this.#allowances) {
      if (nowMs - atMs >= WINDOW_MS) this.#allowances.delete(user)
    }
  }
}

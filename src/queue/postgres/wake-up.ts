// Tells workers that there is work in a lane, in this process at once and in others by NOTIFY. Only a hint: a lost one
// costs a worker's poll interval. Transactions that NOTIFY commit one after another, so they are not more than a lane needs:
// of those that make work the first one may do it itself, which saves a round trip, and for those behind it there is a
// transaction of its own.
import { commitAsynchronously } from '../../database/asynchronous-commit.ts'
import type { Sql } from '../../database/pool.ts'
import type { Logger } from '../../observability/log.ts'
import { Announcements } from '../announcements.ts'
import { LANES, type Lane } from '../queue.ts'

const CHANNEL = 'centripush_queue'
/** A push for one phone should not wait; the pages of a broadcast are more than workers can take anyway. */
const NOTIFY_INTERVAL_MS: Record<Lane, number> = { small: 5, broadcast: 50 }

/** What NOTIFY says. */
export interface Notice {
  channel: string
  lane: Lane
}

export class WakeUp {
  readonly #sql: Sql
  readonly #logger: Logger
  readonly #announcements = new Announcements()
  readonly #lastNotifyMs: Record<Lane, number> = { small: 0, broadcast: 0 }
  readonly #timers = new Map<Lane, NodeJS.Timeout>()
  #subscription: Promise<{ unlisten(): Promise<void> }> | undefined
  #notifying: Promise<unknown> = Promise.resolve()

  constructor(deps: { sql: Sql; logger: Logger }) {
    this.#sql = deps.sql
    this.#logger = deps.logger
  }

  /** What a transaction that makes work in `lane` is to notify of, if it is its turn; then `announce` is told. */
  takeNotice(lane: Lane): Notice | undefined {
    if (this.#timers.has(lane) || this.#leftMs(lane) > 0) return undefined
    this.#lastNotifyMs[lane] = Date.now()
    return { channel: CHANNEL, lane }
  }

  /** To be called after the commit that made the work. @param notice what that notified of */
  announce(lane: Lane, notice?: Notice): void {
    this.#announcements.announce(lane)
    if (notice || this.#timers.has(lane)) return
    const waitMs = this.#leftMs(lane)
    if (waitMs === 0) this.#notify(lane)
    else {
      this.#timers.set(
        lane,
        setTimeout(() => this.#notify(lane), waitMs),
      )
    }
  }

  /** Resolves at the next announcement for `lane`, after `timeoutMs`, or when `signal` aborts. */
  wait(lane: Lane, timeoutMs: number, signal: AbortSignal): Promise<void> {
    this.#subscription ??= this.#listen()
    return this.#announcements.wait(lane, timeoutMs, signal)
  }

  async close(): Promise<void> {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    await this.#notifying
    const subscription = await this.#subscription
    await subscription?.unlisten()
  }

  /** Until the lane's next NOTIFY. */
  #leftMs(lane: Lane): number {
    return Math.max(0, this.#lastNotifyMs[lane] + NOTIFY_INTERVAL_MS[lane] - Date.now())
  }

  #notify(lane: Lane): void {
    this.#timers.delete(lane)
    this.#lastNotifyMs[lane] = Date.now()
    // Nobody needs a hint on disk, and waiting for that would hold it up.
    const sent = this.#sql`select ${commitAsynchronously(this.#sql)}, pg_notify(${CHANNEL}, ${lane})`.catch(
      (error: unknown) => this.#logger.warn({ err: error }, 'queue: NOTIFY failed, workers of other processes poll'),
    )
    this.#notifying = Promise.all([this.#notifying, sent])
  }

  /** A new connection may have missed announcements, so it announces all. */
  async #listen(): Promise<{ unlisten(): Promise<void> }> {
    const announce = (payload: string) => {
      const lane = LANES.find((lane) => lane === payload)
      if (lane) this.#announcements.announce(lane)
    }
    try {
      return await this.#sql.listen(CHANNEL, announce, () => this.#announcements.announceAll())
    } catch (error) {
      this.#subscription = undefined
      this.#logger.warn({ err: error }, 'queue: LISTEN failed, polling until it works')
      return { unlisten: async () => undefined }
    }
  }
}

// Tells workers that there is work, in this process at once and in others by NOTIFY. Only a hint: a lost one
// costs a worker's poll interval. Transactions that NOTIFY commit one after another, so they are not more than needed:
// of those that make work the first one may do it itself, which saves a round trip, and for those behind it there is a
// transaction of its own.
import { commitAsynchronously } from '../../database/asynchronous-commit.ts'
import type { Sql } from '../../database/pool.ts'
import type { Logger } from '../../observability/log.ts'
import { Announcements, WORKS, type Work } from '../announcements.ts'

const CHANNEL = 'centripush_queue'
/**
 * A push for one phone should not wait; the batches of a broadcast are more than workers can take anyway; a page that can
 * be taken is waited for by workers that have little left.
 */
const NOTIFY_INTERVAL_MS: Record<Work, number> = { small: 5, broadcast: 50, pages: 5 }

/** What NOTIFY says. */
export interface Notice {
  channel: string
  work: Work
}

export class WakeUp {
  readonly #sql: Sql
  readonly #logger: Logger
  readonly #announcements = new Announcements()
  readonly #lastNotifyMs: Record<Work, number> = { small: 0, broadcast: 0, pages: 0 }
  readonly #timers = new Map<Work, NodeJS.Timeout>()
  #subscription: Promise<{ unlisten(): Promise<void> }> | undefined
  #notifying: Promise<unknown> = Promise.resolve()

  constructor(deps: { sql: Sql; logger: Logger }) {
    this.#sql = deps.sql
    this.#logger = deps.logger
  }

  /** What a transaction that makes `work` is to notify of, if it is its turn; then `announce` is told. */
  takeNotice(work: Work): Notice | undefined {
    if (this.#timers.has(work) || this.#leftMs(work) > 0) return undefined
    this.#lastNotifyMs[work] = Date.now()
    return { channel: CHANNEL, work }
  }

  /** To be called after the commit that made the work. @param notice what that notified of */
  announce(work: Work, notice?: Notice): void {
    this.#announcements.announce(work)
    if (notice || this.#timers.has(work)) return
    const waitMs = this.#leftMs(work)
    if (waitMs === 0) this.#notify(work)
    else {
      this.#timers.set(
        work,
        setTimeout(() => this.#notify(work), waitMs),
      )
    }
  }

  /** Resolves at the next announcement for `work`, after `timeoutMs`, or when `signal` aborts. */
  wait(work: Work, timeoutMs: number, signal: AbortSignal): Promise<void> {
    this.#subscription ??= this.#listen()
    return this.#announcements.wait(work, timeoutMs, signal)
  }

  async close(): Promise<void> {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    await this.#notifying
    const subscription = await this.#subscription
    await subscription?.unlisten()
  }

  /** Until its next NOTIFY. */
  #leftMs(work: Work): number {
    return Math.max(0, this.#lastNotifyMs[work] + NOTIFY_INTERVAL_MS[work] - Date.now())
  }

  #notify(work: Work): void {
    this.#timers.delete(work)
    this.#lastNotifyMs[work] = Date.now()
    // Nobody needs a hint on disk, and waiting for that would hold it up.
    const sent = this.#sql`select ${commitAsynchronously(this.#sql)}, pg_notify(${CHANNEL}, ${work})`.catch(
      (error: unknown) => this.#logger.warn({ err: error }, 'queue: NOTIFY failed, workers of other processes poll'),
    )
    this.#notifying = Promise.all([this.#notifying, sent])
  }

  /** A new connection may have missed announcements, so it announces all. */
  async #listen(): Promise<{ unlisten(): Promise<void> }> {
    const announce = (payload: string) => {
      const work = WORKS.find((work) => work === payload)
      if (work) this.#announcements.announce(work)
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

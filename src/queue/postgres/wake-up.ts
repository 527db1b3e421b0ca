// Announces work: in this process at once, to others by NOTIFY. An announcement is a hint: a lost one costs a worker its
// poll interval. Transactions that NOTIFY commit one after another, so there are as few as possible: the first
// transaction that makes work notifies itself, which saves a round trip; those within the next interval share one.
import { commitAsynchronously } from '../../database/asynchronous-commit.ts'
import type { Sql } from '../../database/pool.ts'
import type { Logger } from '../../observability/log.ts'
import { Announcements } from '../announcements.ts'
import { LANES, type Lane } from '../lane.ts'

const CHANNEL = 'centripush_queue'
/** In ms. A push to one phone should not wait; a broadcast has more batches than workers can claim anyway. */
const NOTIFY_INTERVAL_MS: Record<Lane, number> = { small: 5, broadcast: 50 }

/** The channel and payload of a NOTIFY. */
export interface Notice {
  channel: string
  lane: Lane
}

/** The announcements of a queue on PostgreSQL. */
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

  /** The notice that a transaction which makes work has to send itself, if any; `announce` has to follow. */
  takeNotice(lane: Lane): Notice | undefined {
    if (this.#timers.has(lane) || this.#remainingMs(lane) > 0) return undefined
    this.#lastNotifyMs[lane] = Date.now()
    return { channel: CHANNEL, lane }
  }

  /** To be called after the commit that made the work. @param notice the one that the transaction sent */
  announce(lane: Lane, notice?: Notice): void {
    this.#announcements.announce(lane)
    if (notice || this.#timers.has(lane)) return
    const waitMs = this.#remainingMs(lane)
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

  /** Milliseconds until the next NOTIFY for the lane is allowed. */
  #remainingMs(lane: Lane): number {
    return Math.max(0, this.#lastNotifyMs[lane] + NOTIFY_INTERVAL_MS[lane] - Date.now())
  }

  #notify(lane: Lane): void {
    this.#timers.delete(lane)
    this.#lastNotifyMs[lane] = Date.now()
    // A hint need not be on disk, and waiting for the disk would delay it.
    const sent = this.#sql`select ${commitAsynchronously(this.#sql)}, pg_notify(${CHANNEL}, ${lane})`.catch(
      (error: unknown) => this.#logger.warn({ err: error }, 'queue: NOTIFY failed, workers of other processes poll'),
    )
    this.#notifying = Promise.all([this.#notifying, sent])
  }

  /** A new connection may have missed announcements, so it announces all lanes. */
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

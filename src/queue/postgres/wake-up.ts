// Announces work: in this process directly, to other processes by NOTIFY. A lost announcement delays the work by the
// poll interval of a worker. PostgreSQL commits transactions with NOTIFY one after another, so they are kept few: the
// first transaction that makes work contains the NOTIFY, which saves a round trip, and those within the next interval
// share one.
import { commitAsynchronously } from '../../database/asynchronous-commit.ts'
import type { Sql } from '../../database/pool.ts'
import type { Logger } from '../../observability/log.ts'
import { Announcements } from '../announcements.ts'
import { LANES, type Lane } from '../lane.ts'

const CHANNEL = 'centripush_queue'
/** The shortest interval of NOTIFY, in ms. It is longer for broadcasts, because workers rarely run out of batches. */
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

  /** The NOTIFY that the next transaction has to contain, if any. The caller has to call `announce` later. */
  takeNotice(lane: Lane): Notice | undefined {
    if (this.#timers.has(lane) || this.#remainingMs(lane) > 0) return undefined
    this.#lastNotifyMs[lane] = Date.now()
    return { channel: CHANNEL, lane }
  }

  /** Announces work after its commit. @param notice the NOTIFY that the transaction contained */
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

  /** Stops announcing and listening. Calls of `wait` end at their timeout or signal. */
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
    // An announcement need not be on disk, and the disk would delay it.
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

// Announces work: directly to workers of this process, by NOTIFY to other processes. A lost announcement delays the
// work by the poll interval of a worker. PostgreSQL commits transactions with a NOTIFY one after another, so few of
// them contain one: the first transaction that makes work (this saves a round trip), and then one NOTIFY per interval
// for all work that is made during it.
import { commitAsynchronously } from '../../database/asynchronous-commit.ts'
import type { Sql } from '../../database/pool.ts'
import type { Logger } from '../../observability/log.ts'
import { Announcements } from '../announcements.ts'
import { LANES, type Lane } from '../lane.ts'

const CHANNEL = 'centripush_queue'
/** The payload with which a process finds out whether it hears announcements. */
const HEARING_TEST = 'test'
/**
 * The least time between two NOTIFYs of a lane, in ms. It is longer for broadcasts, because their workers rarely run
 * out of batches.
 */
const NOTIFY_INTERVAL_MS: Record<Lane, number> = { small: 5, broadcast: 50 }

/** The arguments of a NOTIFY that a transaction has to contain. */
export interface Notice {
  channel: string
  lane: Lane
}

/** The announcements of work of a queue on PostgreSQL. */
export class WakeUp {
  readonly #sql: Sql
  readonly #logger: Logger
  readonly #announcements = new Announcements()
  readonly #lastNotifyMs: Record<Lane, number> = { small: 0, broadcast: 0 }
  readonly #timers = new Map<Lane, NodeJS.Timeout>()
  #subscription: Promise<{ unlisten(): Promise<void> }> | undefined
  #isHearing = false
  #notifying: Promise<unknown> = Promise.resolve()

  constructor(deps: { sql: Sql; logger: Logger }) {
    this.#sql = deps.sql
    this.#logger = deps.logger
  }

  /**
   * The NOTIFY that the caller's next transaction has to contain; undefined if one was sent or scheduled a moment ago.
   * In both cases the caller calls `announce` after the commit.
   */
  takeNotice(lane: Lane): Notice | undefined {
    if (this.#timers.has(lane) || this.#remainingMs(lane) > 0) return undefined
    this.#lastNotifyMs[lane] = Date.now()
    return { channel: CHANNEL, lane }
  }

  /** Announces work that is committed. @param notice the NOTIFY that the committed transaction contained, if any */
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

  /** False until an announcement has arrived on this connection. Behind a pooler of transactions none arrives. */
  get isHearing(): boolean {
    return this.#isHearing
  }

  /**
   * Resolves to true at the next announcement for `lane`, or to false after `timeoutMs` or when `signal` aborts.
   */
  wait(lane: Lane, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    this.#subscription ??= this.#listen()
    return this.#announcements.wait(lane, timeoutMs, signal)
  }

  /** Stops announcing and listening. Pending calls of `wait` end at their timeout or when their signal aborts. */
  async close(): Promise<void> {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    await this.#notifying
    const subscription = await this.#subscription
    await subscription?.unlisten()
  }

  /** Milliseconds until another NOTIFY for the lane may be sent. */
  #remainingMs(lane: Lane): number {
    return Math.max(0, this.#lastNotifyMs[lane] + NOTIFY_INTERVAL_MS[lane] - Date.now())
  }

  #notify(lane: Lane): void {
    this.#timers.delete(lane)
    this.#lastNotifyMs[lane] = Date.now()
    this.#sendNotify(lane)
  }

  #sendNotify(payload: Lane | typeof HEARING_TEST): void {
    // The commit does not wait for the disk: an announcement need not survive a crash, and the write would delay it.
    const sent = this.#sql`select ${commitAsynchronously(this.#sql)}, pg_notify(${CHANNEL}, ${payload})`.catch(
      (error: unknown) => this.#logger.warn({ err: error }, 'queue: NOTIFY failed, workers of other processes poll'),
    )
    this.#notifying = Promise.all([this.#notifying, sent])
  }

  /**
   * Listens to announcements of other processes. A reconnected listener may have missed some, so all lanes are
   * announced.
   */
  async #listen(): Promise<{ unlisten(): Promise<void> }> {
    const announce = (payload: string) => {
      this.#isHearing = true
      const lane = LANES.find((lane) => lane === payload)
      if (lane) this.#announcements.announce(lane)
    }
    try {
      return await this.#sql.listen(CHANNEL, announce, () => {
        this.#isHearing = false
        this.#announcements.announceAll()
        this.#sendNotify(HEARING_TEST)
      })
    } catch (error) {
      this.#subscription = undefined
      this.#logger.warn({ err: error }, 'queue: LISTEN failed, polling until it works')
      return { unlisten: async () => undefined }
    }
  }
}

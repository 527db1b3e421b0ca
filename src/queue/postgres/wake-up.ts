// Tells workers that there is work, in this process at once and in others by NOTIFY. Only a hint: a lost one costs a
// worker's poll interval. NOTIFY takes a lock that all committing transactions share, so it runs outside of the
// enqueueing transaction, on one connection per process, and at most once in NOTIFY_INTERVAL_MS.
import { EventEmitter } from 'node:events'
import type { Sql } from '../../database/pool.ts'
import type { Logger } from '../../observability/log.ts'

const CHANNEL = 'centripush_queue'
const NOTIFY_INTERVAL_MS = 50

export class WakeUp {
  readonly #sql: Sql
  readonly #logger: Logger
  readonly #events = new EventEmitter().setMaxListeners(0)
  #subscription: Promise<{ unlisten(): Promise<void> }> | undefined
  #lastNotifyMs = 0
  #timer: NodeJS.Timeout | undefined
  #notifying: Promise<void> = Promise.resolve()

  constructor(deps: { sql: Sql; logger: Logger }) {
    this.#sql = deps.sql
    this.#logger = deps.logger
  }

  /** To be called after the commit that made the work. */
  announce(): void {
    this.#events.emit('work')
    if (this.#timer) return
    const waitMs = Math.max(0, this.#lastNotifyMs + NOTIFY_INTERVAL_MS - Date.now())
    if (waitMs === 0) this.#notify()
    else this.#timer = setTimeout(() => this.#notify(), waitMs)
  }

  /** Resolves at the next announcement, after `timeoutMs`, or when `signal` aborts. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    this.#subscription ??= this.#listen()
    // By hand: AbortSignal.any() on a signal that lives as long as the process is never let go (Node 20).
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        this.#events.off('work', end)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, timeoutMs)
      this.#events.once('work', end)
      signal.addEventListener('abort', end)
      if (signal.aborted) end()
    })
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#notifying
    const subscription = await this.#subscription
    await subscription?.unlisten()
  }

  #notify(): void {
    this.#timer = undefined
    this.#lastNotifyMs = Date.now()
    this.#notifying = this.#sql`select pg_notify(${CHANNEL}, '')`.then(
      () => undefined,
      (error: unknown) => this.#logger.warn({ err: error }, 'queue: NOTIFY failed, workers of other processes poll'),
    )
  }

  /** A new connection may have missed announcements, so it announces itself. */
  async #listen(): Promise<{ unlisten(): Promise<void> }> {
    const announce = () => void this.#events.emit('work')
    try {
      return await this.#sql.listen(CHANNEL, announce, announce)
    } catch (error) {
      this.#subscription = undefined
      this.#logger.warn({ err: error }, 'queue: LISTEN failed, polling until it works')
      return { unlisten: async () => undefined }
    }
  }
}

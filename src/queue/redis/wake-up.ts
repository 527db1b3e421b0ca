// Announces work of a lane to workers: scripts publish the announcement, and each process listens on its own
// connection. A lost announcement only delays the work, by the poll interval of a worker.
import type { Logger } from '../../observability/log.ts'
import type { RedisClient } from '../../redis/connect.ts'
import { Announcements } from '../announcements.ts'
import { LANES, type Lane } from '../lane.ts'
import type { QueueKeys } from './keys.ts'

/** The announcements of work of a queue on Redis. */
export class WakeUp {
  readonly #announcements = new Announcements()
  readonly #subscriber: RedisClient

  readonly #channels: readonly string[]
  readonly #logger: Logger
  #isSubscribed = false

  /** @param deps.subscriber a connection that only this object uses; `close` closes it */
  constructor(deps: { subscriber: RedisClient; keys: QueueKeys; logger: Logger }) {
    const { subscriber, keys, logger } = deps
    this.#subscriber = subscriber
    this.#logger = logger
    const lanes = new Map(LANES.map((lane) => [keys.work(lane), lane]))
    this.#channels = [...lanes.keys()]
    subscriber.on('message', (channel: string) => {
      const lane = lanes.get(channel)
      if (lane) this.#announcements.announce(lane)
    })
    subscriber.on('ready', () => void this.#subscribe())
    subscriber.on('close', () => {
      this.#isSubscribed = false
    })
    void this.#subscribe()
  }

  /** Whether announcements arrive. */
  get isHearing(): boolean {
    return this.#isSubscribed && this.#subscriber.status === 'ready'
  }

  /**
   * Resolves to true at the next announcement for `lane`, or to false after `timeoutMs` or when `signal` aborts.
   */
  wait(lane: Lane, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    return this.#announcements.wait(lane, timeoutMs, signal)
  }

  /** Stops listening. Pending calls of `wait` end at their timeout or when their signal aborts. */
  close(): void {
    this.#subscriber.disconnect()
  }

  /** Announcements may have been lost before, so all lanes are announced. Never rejects. */
  async #subscribe(): Promise<void> {
    try {
      await this.#subscriber.subscribe(...this.#channels)
      this.#isSubscribed = true
      this.#announcements.announceAll()
    } catch (error) {
      this.#logger.warn({ err: error }, 'queue: SUBSCRIBE failed, polling until the next connection')
    }
  }
}

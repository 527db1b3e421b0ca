// Announces work of a lane to workers: scripts publish the announcement, and each process listens on its own
// connection. In a Cluster the channels belong to the slot of the queue's keys (shard pub/sub), and the client listens
// to the servers that have the slots. A lost announcement only delays the work, by the poll interval of a worker.
import type { Logger } from '../../observability/log.ts'
import type { RedisClient } from '../../redis/connect.ts'
import { Announcements } from '../announcements.ts'
import { LANES, type Lane } from '../lane.ts'
import type { QueueKeys } from './keys.ts'

interface Deps {
  /** A connection that is only used to listen; `close` closes it. */
  subscriber: RedisClient
  keys: QueueKeys
  logger: Logger
  /** Called at each announcement of work in a lane. */
  onAnnounced?: ((lane: Lane) => void) | undefined
}

/** The announcements of work of a queue on Redis, or of one partition of it. */
export class WakeUp {
  readonly #deps: Deps
  readonly #announcements = new Announcements()
  readonly #channels: readonly string[]
  #isSubscribed = false
  /** Whether the client of a Cluster has the channels: it subscribes to them again by itself. */
  #isKept = false

  constructor(deps: Deps) {
    const { subscriber, keys } = deps
    this.#deps = deps
    const lanes = new Map(LANES.map((lane) => [keys.work(lane), lane]))
    this.#channels = [...lanes.keys()]
    subscriber.on(subscriber.isCluster ? 'smessage' : 'message', (channel: string) => {
      const lane = lanes.get(channel)
      if (lane) this.#announce(lane)
    })
    const onLost = () => {
      this.#isSubscribed = false
    }
    subscriber.on('close', onLost)
    if (subscriber.isCluster) {
      subscriber.on('-subscriber', onLost)
      subscriber.on('subscribersReady', () => void this.#subscribe())
    } else {
      subscriber.on('ready', () => void this.#subscribe())
    }
    void this.#subscribe()
  }

  /** Whether announcements arrive. */
  get isHearing(): boolean {
    return this.#isSubscribed && this.#deps.subscriber.status === 'ready'
  }

  /**
   * Resolves to true at the next announcement for `lane`, or to false after `timeoutMs` or when `signal` aborts.
   */
  wait(lane: Lane, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    return this.#announcements.wait(lane, timeoutMs, signal)
  }

  /** Stops listening. Pending calls of `wait` end at their timeout or when their signal aborts. */
  close(): void {
    this.#deps.subscriber.disconnect()
  }

  #announce(lane: Lane): void {
    this.#deps.onAnnounced?.(lane)
    this.#announcements.announce(lane)
  }

  /** Announcements may have been lost before, so all lanes are announced. Never rejects. */
  async #subscribe(): Promise<void> {
    const { subscriber, logger } = this.#deps
    try {
      if (!subscriber.isCluster) await subscriber.subscribe(...this.#channels)
      else if (!this.#isKept) await subscriber.ssubscribe(...this.#channels)
      this.#isKept = true
      this.#isSubscribed = true
      for (const lane of LANES) this.#announce(lane)
    } catch (error) {
      logger.warn({ err: error }, 'queue: SUBSCRIBE failed, polling until the next connection')
    }
  }
}

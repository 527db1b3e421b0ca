// Announces work of a lane to workers: scripts publish the announcement, and each process listens on its own
// connection, but only to the lanes whose announcements it waits for: with each send, a message would wake a process
// for nothing. In a Cluster the channels belong to the slot of the queue's keys (shard pub/sub), and the client listens
// to the servers that have the slots. A lost announcement only delays the work, by the poll interval of a worker.
import type { Logger } from '../../observability/log.ts'
import type { RedisClient } from '../../redis/connect.ts'
import { Announcements } from '../announcements.ts'
import { LANES, type Lane, WORK_KINDS, type WorkKind } from '../lane.ts'
import type { QueueKeys } from './keys.ts'

interface Deps {
  /** A connection that is only used to listen; `close` closes it. */
  subscriber: RedisClient
  keys: QueueKeys
  logger: Logger
  /** Called at each announcement of work in a lane: of one kind, or of all. */
  onAnnounced?: ((lane: Lane, only: WorkKind | undefined) => void) | undefined
}

/** The announcements of work of a queue on Redis, or of one partition of it. */
export class WakeUp {
  readonly #deps: Deps
  readonly #announcements = new Announcements()
  /** The lanes whose announcements are waited for. */
  readonly #wanted = new Set<Lane>()
  /** Those of them that are subscribed. */
  readonly #subscribed = new Set<Lane>()
  /** Those that the client of a Cluster has: it subscribes to them again by itself. */
  readonly #kept = new Set<Lane>()

  constructor(deps: Deps) {
    const { subscriber, keys } = deps
    this.#deps = deps
    const lanes = new Map(LANES.map((lane) => [keys.work(lane), lane]))
    subscriber.on(subscriber.isCluster ? 'smessage' : 'message', (channel: string, message: string) => {
      const lane = lanes.get(channel)
      // The message of an earlier version is empty.
      const only = WORK_KINDS.find((kind) => kind === message)
      if (lane) this.#announce(lane, only)
    })
    const onLost = () => this.#subscribed.clear()
    subscriber.on('close', onLost)
    if (subscriber.isCluster) {
      subscriber.on('-subscriber', onLost)
      subscriber.on('subscribersReady', () => this.#subscribeAll())
    } else {
      subscriber.on('ready', () => this.#subscribeAll())
    }
  }

  /** Whether the announcements that are waited for arrive. */
  get isHearing(): boolean {
    return this.#subscribed.size === this.#wanted.size && this.#deps.subscriber.status === 'ready'
  }

  /** Subscribes to the announcements of a lane, unless it is subscribed. */
  listenTo(lane: Lane): void {
    if (this.#wanted.has(lane)) return
    this.#wanted.add(lane)
    void this.#subscribe(lane)
  }

  /**
   * Resolves to true at the next announcement for `lane`, or to false after `timeoutMs` or when `signal` aborts.
   * @param only the kind of work; by default all kinds
   */
  wait(lane: Lane, timeoutMs: number, signal: AbortSignal, only?: WorkKind): Promise<boolean> {
    this.listenTo(lane)
    return this.#announcements.wait(lane, timeoutMs, signal, only)
  }

  /** Stops listening. Pending calls of `wait` end at their timeout or when their signal aborts. */
  close(): void {
    this.#deps.subscriber.disconnect()
  }

  #announce(lane: Lane, only?: WorkKind): void {
    this.#deps.onAnnounced?.(lane, only)
    this.#announcements.announce(lane, only)
  }

  #subscribeAll(): void {
    for (const lane of this.#wanted) void this.#subscribe(lane)
  }

  /** Announcements may have been lost before, so the lane is announced. Never rejects. */
  async #subscribe(lane: Lane): Promise<void> {
    const { subscriber, keys, logger } = this.#deps
    try {
      if (!subscriber.isCluster) await subscriber.subscribe(keys.work(lane))
      else if (!this.#kept.has(lane)) await subscriber.ssubscribe(keys.work(lane))
      this.#kept.add(lane)
      this.#subscribed.add(lane)
      this.#announce(lane)
    } catch (error) {
      logger.warn({ err: error }, 'queue: SUBSCRIBE failed, polling until the next connection')
    }
  }
}

// Announces work of a lane to workers: scripts publish it, a connection of its own listens. A lost announcement
// delays the work by the poll interval of a worker, and nothing else.
import type { Logger } from '../../observability/log.ts'
import type { RedisClient } from '../../redis/connect.ts'
import { Announcements } from '../announcements.ts'
import { LANES, type Lane } from '../lane.ts'
import type { QueueKeys } from './keys.ts'

/** The announcements of a queue. */
export class WakeUp {
  readonly #announcements = new Announcements()
  readonly #subscriber: RedisClient

  /** @param deps.subscriber a connection without other uses; `close` closes it */
  constructor(deps: { subscriber: RedisClient; keys: QueueKeys; logger: Logger }) {
    const { subscriber, keys, logger } = deps
    this.#subscriber = subscriber
    const lanes = new Map(LANES.map((lane) => [keys.work(lane), lane]))
    subscriber.on('message', (channel: string) => {
      const lane = lanes.get(channel)
      if (lane) this.#announcements.announce(lane)
    })
    // After a reconnect the library subscribes again. Announcements may have been lost before.
    subscriber.on('ready', () => this.#announcements.announceAll())
    subscriber.subscribe(...lanes.keys()).catch((error: unknown) => {
      logger.warn({ err: error }, 'queue: SUBSCRIBE failed, polling')
    })
  }

  /** Resolves at the next announcement for `lane`, after `timeoutMs`, or when `signal` aborts. */
  wait(lane: Lane, timeoutMs: number, signal: AbortSignal): Promise<void> {
    return this.#announcements.wait(lane, timeoutMs, signal)
  }

  /** Ends listening; waiting calls end at their timeout or signal. */
  close(): void {
    this.#subscriber.disconnect()
  }
}

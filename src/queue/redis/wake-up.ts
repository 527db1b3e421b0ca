// Tells workers that there is work in a lane: scripts publish it, a connection of its own listens. Only a hint: a lost one
// costs a worker's poll interval.
import type { Logger } from '../../observability/log.ts'
import { Announcements } from '../announcements.ts'
import { LANES, type Lane } from '../lane.ts'
import type { QueueKeys } from './keys.ts'
import type { RedisClient } from './script.ts'

export class WakeUp {
  readonly #announcements = new Announcements()
  readonly #subscriber: RedisClient

  /** @param deps.subscriber a connection that is used for nothing else; it is closed with this */
  constructor(deps: { subscriber: RedisClient; keys: QueueKeys; logger: Logger }) {
    const { subscriber, keys, logger } = deps
    this.#subscriber = subscriber
    const lanes = new Map(LANES.map((lane) => [keys.work(lane), lane]))
    subscriber.on('message', (channel: string) => {
      const lane = lanes.get(channel)
      if (lane) this.#announcements.announce(lane)
    })
    // After a reconnect the library subscribes again; meanwhile something may have been missed.
    subscriber.on('ready', () => this.#announcements.announceAll())
    subscriber.subscribe(...lanes.keys()).catch((error: unknown) => {
      logger.warn({ err: error }, 'queue: SUBSCRIBE failed, polling until it works')
    })
  }

  /** Resolves at the next announcement for `lane`, after `timeoutMs`, or when `signal` aborts. */
  wait(lane: Lane, timeoutMs: number, signal: AbortSignal): Promise<void> {
    return this.#announcements.wait(lane, timeoutMs, signal)
  }

  close(): void {
    this.#subscriber.disconnect()
  }
}

// Tells workers that there is work: scripts publish it, a connection of its own listens. Only a hint: a lost one costs a
// worker's poll interval.
import { EventEmitter } from 'node:events'
import type { Logger } from '../../observability/log.ts'
import type { RedisClient } from './script.ts'

export class WakeUp {
  readonly #events = new EventEmitter().setMaxListeners(0)
  readonly #subscriber: RedisClient

  /** @param deps.subscriber a connection that is used for nothing else; it is closed with this */
  constructor(deps: { subscriber: RedisClient; channel: string; logger: Logger }) {
    const { subscriber, channel, logger } = deps
    this.#subscriber = subscriber
    subscriber.on('message', () => void this.#events.emit('work'))
    // After a reconnect the library subscribes again; meanwhile something may have been missed.
    subscriber.on('ready', () => void this.#events.emit('work'))
    subscriber.subscribe(channel).catch((error: unknown) => {
      logger.warn({ err: error }, 'queue: SUBSCRIBE failed, polling until it works')
    })
  }

  /** Resolves at the next announcement, after `timeoutMs`, or when `signal` aborts. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
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

  close(): void {
    this.#subscriber.disconnect()
  }
}

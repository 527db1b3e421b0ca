import { EventEmitter } from 'node:events'
import { LANES, type Lane } from './lane.ts'
import type { Page } from './send.ts'

/** The lane of the work that a send or one of its pages makes. A page may be in another lane than its send. */
export function laneOfWork(send: { lane: Lane }, page: Page | undefined): Lane {
  return page?.batches[0]?.lane ?? send.lane
}

/** Wakes the loops of this process that wait for work. */
export class Announcements {
  readonly #events = new EventEmitter().setMaxListeners(0)

  /** Ends all calls of `wait` for the lane. */
  announce(lane: Lane): void {
    this.#events.emit(lane)
  }

  /** Announces all lanes: after a reconnection, because announcements may have been lost before it. */
  announceAll(): void {
    for (const lane of LANES) this.announce(lane)
  }

  /** Resolves at the next announcement for `lane`, after `timeoutMs`, or when `signal` aborts. */
  wait(lane: Lane, timeoutMs: number, signal: AbortSignal): Promise<void> {
    // Without AbortSignal.any(): its results for a signal of the whole process are never freed (Node 20).
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        this.#events.off(lane, end)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, timeoutMs)
      this.#events.once(lane, end)
      signal.addEventListener('abort', end)
      if (signal.aborted) end()
    })
  }
}

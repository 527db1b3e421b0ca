import { EventEmitter } from 'node:events'
import { LANES, type Lane, type Page } from './queue.ts'

/** Where the work is that a send, or a page of it, makes: its batches may be in another lane than the send. */
export function laneOfWork(send: { lane: Lane }, page: Page | undefined): Lane {
  return page?.batches[0]?.lane ?? send.lane
}

/** Wakes those in this process who wait for work in a lane. */
export class Announcements {
  readonly #events = new EventEmitter().setMaxListeners(0)

  announce(lane: Lane): void {
    this.#events.emit(lane)
  }

  /** For when nobody knows what was missed. */
  announceAll(): void {
    for (const lane of LANES) this.announce(lane)
  }

  /** Resolves at the next announcement for `lane`, after `timeoutMs`, or when `signal` aborts. */
  wait(lane: Lane, timeoutMs: number, signal: AbortSignal): Promise<void> {
    // By hand: AbortSignal.any() on a signal that lives as long as the process is never let go (Node 20).
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

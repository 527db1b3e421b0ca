import { EventEmitter } from 'node:events'
import { LANES, type Lane } from './lane.ts'
import type { Page } from './send.ts'

/** The lane in which a send, or a page of it, makes work: its batches may be in another lane than the send. */
export function laneOfWork(send: { lane: Lane }, page: Page | undefined): Lane {
  return page?.batches[0]?.lane ?? send.lane
}

/** Wakes the loops of this process that wait for work. */
export class Announcements {
  readonly #events = new EventEmitter().setMaxListeners(0)

  announce(lane: Lane): void {
    this.#events.emit(lane)
  }

  /** For a reconnection, after which missed announcements are unknown. */
  announceAll(): void {
    for (const lane of LANES) this.announce(lane)
  }

  /** Resolves at the next announcement for `lane`, after `timeoutMs`, or when `signal` aborts. */
  wait(lane: Lane, timeoutMs: number, signal: AbortSignal): Promise<void> {
    // Not AbortSignal.any(): on a signal that lives as long as the process it is never collected (Node 20).
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

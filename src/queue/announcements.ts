import { EventEmitter } from 'node:events'
import type { Lane, Page } from './queue.ts'

/** What is waited for: batches and walks of a lane, or broadcasts whose pages are taken. */
export const WORKS = ['small', 'broadcast', 'pages'] as const
export type Work = (typeof WORKS)[number]

/** Where the work is that a send, or a page of it, makes: its batches may be in another lane than the send. */
export function laneOfWork(send: { lane: Lane }, page: Page | undefined): Lane {
  return page?.batches[0]?.lane ?? send.lane
}

/** Wakes those in this process who wait for work. */
export class Announcements {
  readonly #events = new EventEmitter().setMaxListeners(0)

  announce(work: Work): void {
    this.#events.emit(work)
  }

  /** For when nobody knows what was missed. */
  announceAll(): void {
    for (const work of WORKS) this.announce(work)
  }

  /** Resolves at the next announcement of `work`, after `timeoutMs`, or when `signal` aborts. */
  wait(work: Work, timeoutMs: number, signal: AbortSignal): Promise<void> {
    // By hand: AbortSignal.any() on a signal that lives as long as the process is never let go (Node 20).
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        this.#events.off(work, end)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, timeoutMs)
      this.#events.once(work, end)
      signal.addEventListener('abort', end)
      if (signal.aborted) end()
    })
  }
}

import { EventEmitter } from 'node:events'
import { LANES, type Lane, WORK_KINDS, type WorkKind } from './lane.ts'
import type { Page } from './send.ts'

/**
 * The lane to announce after a send or a page was stored: that of the page's batches, or without batches that of the
 * send, which then waits for its fan-out. A page may be in another lane than its send.
 */
export function laneOfWork(send: { lane: Lane }, page: Page | undefined): Lane {
  return page?.batches[0]?.lane ?? send.lane
}

/** Wakes the worker loops of this process that wait for new work in a lane. */
export class Announcements {
  readonly #events = new EventEmitter().setMaxListeners(0)

  /** Wakes the loops that wait for work of a kind in this lane. @param only the kind; by default all kinds */
  announce(lane: Lane, only?: WorkKind): void {
    this.#events.emit(lane)
    for (const kind of WORK_KINDS) if (only === undefined || only === kind) this.#events.emit(`${lane} ${kind}`)
  }

  /**
   * Wakes the loops of all lanes. Called after a reconnection to the store, because announcements may have been lost
   * before it.
   */
  announceAll(): void {
    for (const lane of LANES) this.announce(lane)
  }

  /**
   * Resolves to true at the next announcement for `lane`, or to false after `timeoutMs` or when `signal` aborts.
   * @param only the kind of work that is waited for; by default all kinds
   */
  wait(lane: Lane, timeoutMs: number, signal: AbortSignal, only?: WorkKind): Promise<boolean> {
    const event = only === undefined ? lane : `${lane} ${only}`
    // AbortSignal.any() is not used: on Node 20 its results for a signal that lives as long as the process are never
    // freed.
    return new Promise((resolve) => {
      const end = (isAnnounced: boolean) => {
        clearTimeout(timer)
        this.#events.off(event, onAnnouncement)
        signal.removeEventListener('abort', onAbort)
        resolve(isAnnounced)
      }
      const onAnnouncement = () => end(true)
      const onAbort = () => end(false)
      const timer = setTimeout(onAbort, timeoutMs)
      this.#events.once(event, onAnnouncement)
      signal.addEventListener('abort', onAbort)
      if (signal.aborted) onAbort()
    })
  }
}

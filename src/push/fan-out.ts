// Fan-out: claims due sends, walks their recipients page by page, and stores their batches. The states of a walk:
//
//   claimed ──(page by page, until the last one is committed)──▶ walked
//   claimed ──(the queue is full for PATIENCE_MS | stop | an error)──▶ released
//   claimed ──(cancelled | lease lost)──▶ not touched again
//
// A released send is claimed again after all sends that are due already, so four broadcasts to a provider with a full
// queue do not block a fifth broadcast. Several sends are walked at the same time, and small sends separately from
// broadcasts, so a large send does not delay others. A walk that ends early, even by a crash, is continued at its
// cursor.
import { setMaxListeners } from 'node:events'
import type { Logger } from '../observability/log.ts'
import type { Duty, Lane } from '../queue/lane.ts'
import type { Queue } from '../queue/queue.ts'
import type { OnStored, Page, SendClaim } from '../queue/send.ts'
import { WorkWatch } from '../queue/work-watch.ts'
import { pause } from '../timing/pause.ts'
import { leaveOutExcluded } from './leave-out-excluded.ts'
import type { PageReader } from './page-reader.ts'
import { WalkLeases } from './walk-leases.ts'

/**
 * How many sends of each lane a process fans out at the same time. A small send is one page, and a hundred thousand may
 * be due in the same second: those that are walked together share the statements of the stores.
 */
const MAX_WALKS: Record<Lane, number> = { small: 128, broadcast: 4 }
/**
 * At how many walks in progress a process claims more sends. Small sends are claimed when half of the walks have ended,
 * so that a claim takes many of them.
 */
const CLAIM_BELOW: Record<Lane, number> = { small: 64, broadcast: 3 }
/**
 * How often due sends are looked for without an announcement, in ms: the delay of a send that came due, or of a lost
 * announcement.
 */
const POLL_MS = 250
/**
 * The least time between two claims of broadcasts, in ms. Most announcements in this lane are of pages, hundreds a
 * second, and not of new sends.
 */
const MIN_INTERVAL_MS = 25
/** The first and the longest pause before the commit of a page is tried again because the queue is full, in ms. */
const FULL_FIRST_MS = 20
const FULL_MAX_MS = 200
/**
 * How long the walk of a send waits for room in a full queue, in ms. Then the send is released, so that others are
 * walked.
 */
const PATIENCE_MS = 2000
/** The pause after an error of the store, in ms: most likely the store is unreachable. */
const ERROR_PAUSE_MS = 1000

interface Deps {
  queue: Queue
  duty: Duty
  pages: PageReader
  /** Called after each page that was stored. */
  onStored?: OnStored
  logger: Logger
  /** How often the lease of a send that is walked is extended, in ms. */
  heartbeatMs: number
}

/** Claims the due sends of the lanes that this process serves, and stores their batches. */
export class FanOut {
  readonly #deps: Deps
  readonly #stopping = new AbortController()
  readonly #leases: WalkLeases
  #loops: Promise<void>[] = []

  constructor(deps: Deps) {
    this.#deps = deps
    this.#leases = new WalkLeases(deps)
    // Every walk may wait on it. Node warns of a leak from the eleventh listener on.
    setMaxListeners(0, this.#stopping.signal)
  }

  /** Starts to claim sends. */
  start(): void {
    this.#loops = this.#deps.duty.lanes.map((lane) => this.#claimSends(lane))
  }

  /** Stops claiming sends. Resolves when the pages in progress are committed and all claimed sends are released. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#loops)
    await this.#leases.stop()
  }

  async #claimSends(lane: Lane): Promise<void> {
    const { queue, duty, logger } = this.#deps
    const { signal } = this.#stopping
    const walks = new Set<Promise<void>>()
    let onRoom = () => {}
    const watch = new WorkWatch({ queue, duty, lane, kind: 'sends', pollMs: POLL_MS, signal })
    while (!signal.aborted) {
      watch.listen()
      try {
        if (walks.size > CLAIM_BELOW[lane]) await new Promise<void>((resolve) => (onRoom = resolve))
        const claims = await queue.claimSends(lane, MAX_WALKS[lane] - walks.size)
        for (const claim of claims) {
          const walk = this.#walk(claim).finally(() => {
            walks.delete(walk)
            if (walks.size <= CLAIM_BELOW[lane]) onRoom()
          })
          walks.add(walk)
        }
        if (walks.size > 0) watch.onWork()
        if (claims.length > 0) continue
        await watch.wait([])
        if (lane === 'broadcast') await pause(MIN_INTERVAL_MS, signal)
      } catch (error) {
        logger.error({ err: error, lane }, 'fan-out: claim failed, retrying')
        await pause(ERROR_PAUSE_MS, signal)
      }
    }
    await Promise.all(walks)
  }

  /** Walks a claimed send to its end, or releases it. Never rejects. */
  async #walk(claim: SendClaim): Promise<void> {
    const { queue, logger } = this.#deps
    const { uid } = claim
    this.#leases.add(claim)
    try {
      const result = await this.#writePages(claim)
      const isIdle = this.#leases.remove(claim)
      if (result === 'ended') return
      // The lease must not be extended after the release: that would keep other workers from the send.
      await isIdle
      await queue.releaseSend(claim)
    } catch (error) {
      logger.error({ err: error, uid }, 'fan-out: walk failed, released at its cursor')
      await pause(ERROR_PAUSE_MS, this.#stopping.signal)
      await this.#leases.remove(claim)
      await queue.releaseSend(claim).catch((error: unknown) => {
        logger.warn({ err: error, uid }, 'fan-out: walk not released, claimed again after its lease')
      })
    }
  }

  /**
   * Writes the batches of a claimed send, page by page. 'ended': all are stored, or the claim is lost. 'unfinished':
   * the send has to be released.
   */
  async #writePages(claim: SendClaim): Promise<'ended' | 'unfinished'> {
    let at = claim
    let reading = this.#read(claim, claim.cursor)
    while (!this.#stopping.signal.aborted) {
      const page = await reading
      // The next page is read while this one is stored, because both take about the same time.
      if (page.cursor !== undefined) reading = this.#read(claim, page.cursor)
      const result = await this.#commit(at, page)
      if (result === 'full') return 'unfinished'
      if (result === 'lost') return 'ended'
      this.#deps.onStored?.(claim, page)
      if (page.cursor === undefined) return 'ended'
      at = { ...at, cursor: page.cursor }
    }
    return 'unfinished'
  }

  #read(claim: SendClaim, cursor: string | undefined): Promise<Page> {
    const { pages, queue } = this.#deps
    const reading = pages.read(claim, cursor).then((page) => leaveOutExcluded(queue, claim, page))
    // The error of a failed read is reported where the page is awaited. If the walk ends before, it must not be an
    // unhandled rejection.
    reading.catch(() => undefined)
    return reading
  }

  /** Commits a page, and tries it again while the queue is full. 'full': it was still full after PATIENCE_MS. */
  async #commit(claim: SendClaim, page: Page) {
    const { signal } = this.#stopping
    let result = await this.#deps.queue.commitPage(claim, page)
    let pauseMs = FULL_FIRST_MS
    for (let waitedMs = 0; result === 'full' && waitedMs < PATIENCE_MS && !signal.aborted; waitedMs += pauseMs) {
      pauseMs = Math.min(pauseMs * 2, FULL_MAX_MS)
      await pause(pauseMs, signal)
      result = await this.#deps.queue.commitPage(claim, page)
    }
    return result
  }
}

// Walks the recipients of sends that are due and writes their batches.
//
//   claimed ──(page by page, until the last one is committed)──▶ walked
//   claimed ──(a provider has enough batches waiting for longer than PATIENCE_MS | stop | an error)──▶ given back:
//   it goes to the end of the line, so that four broadcasts that can't go on do not stand in the way of a fifth
//   claimed ──(cancelled, or the lease was lost)──▶ left alone
//
// Several sends at a time, small ones apart from broadcasts, each page by page, so that a large one holds up no other.
// A walk that ends early, also by a crash, is taken up where its cursor stands.
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../observability/log.ts'
import type { Duty, Lane } from '../queue/lane.ts'
import type { Queue } from '../queue/queue.ts'
import type { Page, SendClaim } from '../queue/send.ts'
import type { PageReader } from './page-reader.ts'

/** Sends walked at a time. Small ones are a page each, and thousands may be due in the same second. */
const MAX_WALKS: Record<Lane, number> = { small: 16, broadcast: 4 }
/** How late a lost wake-up or a send that has just become due may be noticed. */
const POLL_MS = 250
/** Between looks for broadcasts: what wakes the lane is seldom a send and mostly pages of one, hundreds a second. */
const MIN_INTERVAL_MS = 25
/** Pauses while a provider has enough batches waiting. */
const FULL_FIRST_MS = 20
const FULL_MAX_MS = 200
/** How long a walk waits for that before others get its place. */
const PATIENCE_MS = 2000
/** After an error of the store, which is most likely away. */
const ERROR_PAUSE_MS = 1000

interface Deps {
  queue: Queue
  duty: Duty
  pages: PageReader
  logger: Logger
  /** How often the lease of a walk is extended while a page is read or has to wait. */
  heartbeatMs: number
}

export class FanOut {
  readonly #deps: Deps
  readonly #stopping = new AbortController()
  #loops: Promise<void>[] = []

  constructor(deps: Deps) {
    this.#deps = deps
  }

  start(): void {
    this.#loops = this.#deps.duty.lanes.map((lane) => this.#claimSends(lane))
  }

  /** Stops after the pages at hand. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#loops)
  }

  async #claimSends(lane: Lane): Promise<void> {
    const { queue, logger } = this.#deps
    const { signal } = this.#stopping
    const walks = new Set<Promise<void>>()
    let waiting: Promise<void> | undefined
    while (!signal.aborted) {
      // Begins before the claim, so that no send is missed that comes while one is under way.
      waiting ??= this.#waitForWork(lane).then(() => {
        waiting = undefined
      })
      try {
        if (walks.size >= MAX_WALKS[lane]) await Promise.race(walks)
        const claims = await queue.claimSends(lane, MAX_WALKS[lane] - walks.size)
        for (const claim of claims) {
          const walk = this.#walk(claim).finally(() => walks.delete(walk))
          walks.add(walk)
        }
        if (claims.length > 0) continue
        await waiting
        if (lane === 'broadcast') await pause(MIN_INTERVAL_MS, signal)
      } catch (error) {
        logger.error({ err: error, lane }, 'fan-out: sends could not be claimed, trying again')
        await pause(ERROR_PAUSE_MS, signal)
      }
    }
    await Promise.all(walks)
  }

  #waitForWork(lane: Lane): Promise<void> {
    const { queue, duty } = this.#deps
    const { signal } = this.#stopping
    return duty.fallbackLanes.includes(lane) ? pause(POLL_MS, signal) : queue.waitForWork(lane, POLL_MS, signal)
  }

  /** Never rejects. */
  async #walk(claim: SendClaim): Promise<void> {
    const { queue, logger, heartbeatMs } = this.#deps
    const { uid } = claim
    const heartbeat = setInterval(() => {
      // One that fails is followed by the next, and a lost claim shows at the commit.
      queue.extendWalk(claim).catch(() => undefined)
    }, heartbeatMs)
    try {
      if ((await this.#writePages(claim)) === 'unfinished') await queue.releaseSend(claim)
    } catch (error) {
      logger.error({ err: error, uid }, 'fan-out: a walk failed, it goes on where it was')
      await pause(ERROR_PAUSE_MS, this.#stopping.signal)
      await queue.releaseSend(claim).catch((error: unknown) => {
        logger.warn({ err: error, uid }, 'fan-out: a walk could not be given back, it goes on after its lease')
      })
    } finally {
      clearInterval(heartbeat)
    }
  }

  /** 'left': there is nothing more to be done with this claim. */
  async #writePages(claim: SendClaim): Promise<'left' | 'unfinished'> {
    let at = claim
    let reading = this.#read(claim, claim.cursor)
    while (!this.#stopping.signal.aborted) {
      const page = await reading
      // The next page is read while this one is written: they cost about the same.
      if (page.cursor !== undefined) reading = this.#read(claim, page.cursor)
      const result = await this.#commit(at, page)
      if (result === 'full') return 'unfinished'
      if (result === 'lost' || page.cursor === undefined) return 'left'
      at = { ...at, cursor: page.cursor }
    }
    return 'unfinished'
  }

  #read(claim: SendClaim, cursor: string | undefined): Promise<Page> {
    const reading = this.#deps.pages.read(claim, cursor)
    // Whoever awaits it hears of its failure; if the walk ends before, nobody has to.
    reading.catch(() => undefined)
    return reading
  }

  /** 'full': it did not become possible in good time. */
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

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // The only rejection is the abort, after which the caller's loop ends.
  await delay(ms, undefined, { signal }).catch(() => undefined)
}

// Walks the recipients of sends that are due and writes their batches. Several sends at a time, each page by page, so
// that a large one holds up no other. A walk that ends early (crash, lost lease) is taken up where its cursor stands.
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../observability/log.ts'
import type { Queue, SendClaim } from '../queue/queue.ts'
import type { PageReader } from './pages.ts'

const MAX_WALKS = 4
/** How late a lost wake-up or a send that has just become due may be noticed. */
const POLL_MS = 500
/** Pauses while a provider has enough batches waiting. */
const FULL_FIRST_MS = 50
const FULL_MAX_MS = 1000
/** After an error of the store, which is most likely away. */
const ERROR_PAUSE_MS = 1000

interface Deps {
  queue: Queue
  pages: PageReader
  logger: Logger
}

export class FanOut {
  readonly #deps: Deps
  readonly #stopping = new AbortController()
  readonly #walks = new Set<Promise<void>>()
  #loop: Promise<void> = Promise.resolve()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  start(): void {
    this.#loop = this.#claimSends()
  }

  /** Stops after the pages at hand. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
    await Promise.all(this.#walks)
  }

  async #claimSends(): Promise<void> {
    const { queue, logger } = this.#deps
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        if (this.#walks.size >= MAX_WALKS) {
          await Promise.race(this.#walks)
          continue
        }
        const claim = await queue.claimSend()
        if (claim) this.#start(claim)
        else await queue.waitForWork(POLL_MS, signal)
      } catch (error) {
        logger.error({ err: error }, 'fan-out: sends could not be claimed, trying again')
        await pause(ERROR_PAUSE_MS, signal)
      }
    }
  }

  #start(claim: SendClaim): void {
    const walk = this.#walk(claim)
      .catch((error: unknown) => {
        const { uid } = claim.send
        this.#deps.logger.error({ err: error, uid }, 'fan-out: stopped, goes on where it was after the lease')
      })
      .finally(() => this.#walks.delete(walk))
    this.#walks.add(walk)
  }

  async #walk(claim: SendClaim): Promise<void> {
    const { queue, pages } = this.#deps
    const { signal } = this.#stopping
    let { cursor } = claim
    let pauseMs = FULL_FIRST_MS
    while (!signal.aborted) {
      const page = await pages.read(claim.send, cursor)
      let result = await queue.commitPage(claim, page)
      while (result === 'full' && !signal.aborted) {
        await pause(pauseMs, signal)
        pauseMs = Math.min(pauseMs * 2, FULL_MAX_MS)
        result = await queue.commitPage(claim, page)
      }
      if (result === 'lost' || (result === 'committed' && page.cursor === undefined)) return
      if (result === 'committed') cursor = page.cursor
      pauseMs = FULL_FIRST_MS
    }
    await queue.releaseSend(claim)
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // The only rejection is the abort, after which the caller's loop ends.
  await delay(ms, undefined, { signal }).catch(() => undefined)
}

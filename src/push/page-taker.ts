// Takes the pages of broadcasts for the worker that reads them:
//
//   send claimed ──▶ end of its next page found ──▶ page taken; the next one is anyone's ──▶ read ──▶ opened: its batches are
//   this worker's
//
//   An error, or a stop, gives back what is claimed: the send, and once the page is taken that, which is a lost one then
//   (lost-parts.ts).
//
// Several workers read at the same time, and find the ends one after another, which takes a tenth of the time. Broadcasts take
// turns page by page, because the send that was given back last comes last.
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../observability/log.ts'
import type { BatchClaim, PageClaim, SendClaim, TakenPages } from '../queue/queue.ts'
import type { PageReader } from './pages.ts'

/** Devices of a page: enough to make its fixed cost small, few enough to share a broadcast evenly among workers. */
export const TAKEN_TARGETS = 5000
/** After an error of the store, which is most likely away. */
const ERROR_PAUSE_MS = 1000

interface Deps {
  takenPages: TakenPages
  pages: PageReader
  logger: Logger
}

export class PageTaker {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Resolves when there may be a page to take, after `timeoutMs` at the latest, or when `signal` aborts. Never rejects. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return this.#deps.takenPages.waitForSend(timeoutMs, signal)
  }

  /**
   * Resolves to the batches of the next page of the broadcast that has waited longest, claimed; to undefined when no broadcast
   * waits. Never rejects.
   */
  async take(signal: AbortSignal): Promise<BatchClaim[] | undefined> {
    try {
      const claim = await this.#deps.takenPages.claimSend()
      if (!claim) return undefined
      const page = await this.#takeNext(claim, signal)
      return page ? await this.#open(claim, page) : []
    } catch (error) {
      this.#deps.logger.error({ err: error }, 'fan-out: a page could not be taken, trying again')
      // The only rejection is the abort, after which nothing is taken any more.
      await delay(ERROR_PAUSE_MS, undefined, { signal }).catch(() => undefined)
      return []
    }
  }

  /** Undefined when the walk is not ours any more, or it is time to stop. */
  async #takeNext(claim: SendClaim, signal: AbortSignal): Promise<PageClaim | undefined> {
    const { takenPages, pages } = this.#deps
    const release = () => this.#giveBack(takenPages.releaseSend(claim), claim)
    try {
      const end = await pages.findEnd(claim, claim.cursor, TAKEN_TARGETS)
      if (!signal.aborted) {
        const page = await takenPages.takePage(claim, end)
        return page === 'lost' ? undefined : page
      }
    } catch (error) {
      await release()
      throw error
    }
    await release()
    return undefined
  }

  async #open(claim: SendClaim, page: PageClaim): Promise<BatchClaim[]> {
    const { takenPages, pages } = this.#deps
    try {
      const read = await pages.readRange(claim, page.range, TAKEN_TARGETS)
      const opened = await takenPages.openPage(page, read.batches)
      if (typeof opened === 'string') return []
      pages.tellSkipped(read)
      return opened
    } catch (error) {
      await this.#giveBack(takenPages.releasePage(page), claim)
      throw error
    }
  }

  async #giveBack(released: Promise<void>, { uid }: SendClaim): Promise<void> {
    await released.catch((error: unknown) => {
      this.#deps.logger.warn({ err: error, uid }, 'fan-out: a page could not be given back, it goes on after its lease')
    })
  }
}

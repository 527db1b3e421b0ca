// Pages that were taken by a worker which died, and batches of such pages, also those that it gave back when it stopped: their
// devices are read again and written, so that anyone can claim them.
import type { Logger } from '../observability/log.ts'
import type { LostPart, NewBatch, TakenPages } from '../queue/queue.ts'
import { TAKEN_TARGETS } from './page-taker.ts'
import type { PageReader } from './pages.ts'

/** At a time, of each: they are read one after another, under one lease. */
const CLAIMED = 8

interface Deps {
  takenPages: TakenPages
  pages: PageReader
  logger: Logger
  /** How often they are looked for, in ms. */
  intervalMs: number
}

export class LostParts {
  readonly #deps: Deps
  #timer: NodeJS.Timeout | undefined
  #restoring: Promise<void> | undefined
  #isStopped = false

  constructor(deps: Deps) {
    this.#deps = deps
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#restoring ??= this.#restore().finally(() => {
        this.#restoring = undefined
      })
    }, this.#deps.intervalMs)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    clearInterval(this.#timer)
    await this.#restoring
  }

  /** Never rejects: what is not restored is lost again when its lease ends. */
  async #restore(): Promise<void> {
    const { takenPages, logger } = this.#deps
    try {
      let lost: LostPart[]
      do {
        lost = await takenPages.claimLost(CLAIMED)
        for (const part of lost) await takenPages.restore(part, await this.#read(part))
      } while (lost.length > 0 && !this.#isStopped)
    } catch (error) {
      logger.warn({ err: error }, 'fan-out: pages of a worker that is gone could not be restored, trying again')
    }
  }

  #read({ send, range, batch }: LostPart): Promise<NewBatch[]> {
    if (!send) return Promise.resolve(batch ? [unread(batch)] : [])
    return this.#deps.pages.readRange(send, range, batch?.count ?? TAKEN_TARGETS, batch?.provider)
  }
}

/** Of a cancelled send only the number of targets counts, which whoever claims the batch tells. */
function unread({ provider, count }: NonNullable<LostPart['batch']>): NewBatch {
  return { provider, lane: 'broadcast', targetKind: 'token', lines: Buffer.alloc(0), count }
}

// Pages that were taken by a worker which died, and batches of such pages, also those that it gave back when it stopped: their
// devices are read again and written, so that anyone can claim them.
import type { Logger } from '../observability/log.ts'
import type { LostPart, NewBatch, TakenPages } from '../queue/queue.ts'
import { TAKEN_TARGETS } from './page-taker.ts'
import type { PageReader, RangeRead } from './pages.ts'

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
      let restored: boolean[]
      do {
        // One of each at a time, for its lease begins with the claim.
        const lost = await takenPages.claimLost(1)
        restored = await Promise.all(lost.map((part) => this.#restorePart(part)))
      } while (restored.includes(true) && !this.#isStopped)
    } catch (error) {
      logger.warn({ err: error }, 'fan-out: what a worker left could not be looked for, trying again')
    }
  }

  /** One that can't be read keeps no other from being restored. Resolves to whether it was. */
  async #restorePart(part: LostPart): Promise<boolean> {
    const { takenPages, pages, logger } = this.#deps
    const { uid } = part
    try {
      const read = await this.#read(part)
      const result = await takenPages.restore(part, read.batches)
      if (result === 'restored') pages.tellSkipped(read)
      return result === 'restored'
    } catch (error) {
      logger.warn(
        { err: error, uid },
        'fan-out: what a worker left could not be restored, trying again after its lease',
      )
      return false
    }
  }

  async #read({ send, range, batch }: LostPart): Promise<RangeRead> {
    if (send) return await this.#deps.pages.readRange(send, range, batch?.count ?? TAKEN_TARGETS, batch?.provider)
    return { batches: batch ? [unread(batch)] : [], skipped: [] }
  }
}

/** Of a cancelled send only the number of targets counts, which whoever claims the batch tells. */
function unread({ provider, count }: NonNullable<LostPart['batch']>): NewBatch {
  return { provider, lane: 'broadcast', targetKind: 'token', lines: Buffer.alloc(0), count }
}

// How a walk writes its pages: through this process, or where queue and devices are in one database without leaving that.
import type { Page, PageCopies, PagePlan, Queue, SendClaim } from '../queue/queue.ts'
import type { PageReader } from './pages.ts'

interface Deps {
  queue: Pick<Queue, 'commitPage' | 'copyPages'>
  pages: PageReader
}

/** Where the next page starts, undefined after the last one; or why the page was not written: see CommitResult. */
export type Written = Pick<Page, 'cursor'> | 'full' | 'lost'

/** Writes the pages of one walk. */
export interface PageWriter {
  /** Writes the page after the claim's cursor. A page that did not fit is written by a later call. */
  write(claim: SendClaim): Promise<Written>
  /** To be awaited before the walk is given back. Never rejects. */
  end(): Promise<void>
}

/** For the walk that `claim` begins or goes on with. */
export function makePageWriter({ queue, pages }: Deps, claim: SendClaim): PageWriter {
  const plan = pages.planCopy(claim)
  const copies = plan && queue.copyPages(plan)
  if (!plan || !copies) return new PageSender({ queue, pages, readsAhead: true })
  return new CopyingWriter({ copies, pages, plan, sender: new PageSender({ queue, pages, readsAhead: false }) })
}

/** Reads a page and sends it to the queue. */
class PageSender implements PageWriter {
  readonly #deps: Deps & { readsAhead: boolean }
  /** What is read and not written, by the cursor that it comes after. */
  readonly #read = new Map<string | undefined, Promise<Page>>()

  constructor(deps: Deps & { readsAhead: boolean }) {
    this.#deps = deps
  }

  async write(claim: SendClaim): Promise<Written> {
    const { queue, readsAhead } = this.#deps
    const page = await this.#readAfter(claim, claim.cursor)
    // The next page is read while this one is written: they cost about the same.
    if (readsAhead && page.cursor !== undefined) void this.#readAfter(claim, page.cursor)
    const result = await queue.commitPage(claim, page)
    if (result !== 'committed') return result
    this.#read.delete(claim.cursor)
    return page
  }

  /** What is being read changes nothing. */
  async end(): Promise<void> {}

  #readAfter(claim: SendClaim, cursor: string | undefined): Promise<Page> {
    const known = this.#read.get(cursor)
    if (known !== undefined) return known
    const reading = this.#deps.pages.read(claim, cursor)
    // Whoever awaits it hears of its failure; if the walk ends before, nobody has to.
    reading.catch(() => undefined)
    this.#read.set(cursor, reading)
    return reading
  }
}

interface CopyingDeps {
  copies: PageCopies
  pages: PageReader
  plan: PagePlan
  sender: PageWriter
}

/** Has the store copy a page. */
class CopyingWriter implements PageWriter {
  readonly #deps: CopyingDeps

  constructor(deps: CopyingDeps) {
    this.#deps = deps
  }

  async write(claim: SendClaim): Promise<Written> {
    const { copies, pages, plan, sender } = this.#deps
    const copied = await copies.copy(claim)
    // A page without devices of the provider that has to be waited for need not wait, which shows when it is read.
    if (copied === 'partly full') return sender.write(claim)
    if (typeof copied !== 'string') pages.skipUnwanted(plan, copied)
    return copied
  }
  end(): Promise<void> {
    return this.#deps.copies.end()
  }
}

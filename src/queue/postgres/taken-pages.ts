// Pages that are taken by the worker which reads them, and their batches: rows like others, but with a range of devices in
// place of the lines, which would be the most that a broadcast writes.
import type { ProviderName } from '../../config/provider-names.ts'
import type { Sql } from '../../database/pool.ts'
import type { BatchClaim, LostPart, NewBatch, PageClaim, SendClaim, TakenPages } from '../queue.ts'
import { inTime } from './in-time.ts'
import { settleBatches } from './settle-statements.ts'
import {
  claimDueWalk,
  claimLostBatches,
  claimLostPages,
  insertTakenPage,
  releaseTakenPage,
  releaseTakenWalk,
  replacePage,
  restPage,
  selectPaused,
} from './taken-statements.ts'
import type { WakeUp } from './wake-up.ts'
import { isProviderFull } from './walk-statements.ts'

interface Deps {
  sql: Sql
  wakeUp: WakeUp
  leaseMs: number
  /** After a start of the server, before claimed batches are taken for lost: living workers extend theirs meanwhile. */
  settleMs: number
}

export class PostgresTakenPages implements TakenPages {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  claimSend(): Promise<SendClaim | undefined> {
    const { sql, leaseMs } = this.#deps
    return inTime(claimDueWalk(sql, leaseMs))
  }

  async releaseSend(claim: SendClaim): Promise<void> {
    const { sql, wakeUp } = this.#deps
    await inTime(releaseTakenWalk(sql, claim))
    wakeUp.announce('pages')
  }

  async takePage(claim: SendClaim, until: string | undefined): Promise<PageClaim | 'lost'> {
    const { sql, wakeUp, leaseMs } = this.#deps
    const page = await inTime(insertTakenPage(sql, claim, until, leaseMs))
    if (page && until !== undefined) wakeUp.announce('pages')
    return page ?? 'lost'
  }

  openPage(page: PageClaim, batches: readonly NewBatch[]): Promise<BatchClaim[] | 'full' | 'lost'> {
    return inTime(this.#open(page, batches))
  }

  async releasePage(page: PageClaim): Promise<void> {
    await inTime(releaseTakenPage(this.#deps.sql, page))
  }

  async claimLost(limit: number): Promise<LostPart[]> {
    const { sql, leaseMs, settleMs } = this.#deps
    const pages = await inTime(claimLostPages(sql, limit, leaseMs))
    return [...pages, ...(await inTime(claimLostBatches(sql, limit, { leaseMs, settleMs })))]
  }

  async restore(lost: LostPart, batches: readonly NewBatch[]) {
    const result = await inTime(lost.batch ? this.#restoreBatch(lost, batches) : this.#restorePage(lost, batches))
    if (result === 'restored') this.#deps.wakeUp.announce('broadcast')
    return result
  }

  waitForSend(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return this.#deps.wakeUp.wait('pages', timeoutMs, signal)
  }

  async #open(page: PageClaim, batches: readonly NewBatch[]): Promise<BatchClaim[] | 'full' | 'lost'> {
    const { sql, wakeUp, leaseMs } = this.#deps
    const paused = new Set<ProviderName>()
    for (;;) {
      const taken = batches.filter(({ provider }) => !paused.has(provider))
      const written = batches.filter(({ provider }) => paused.has(provider))
      if (await isProviderFull(sql, written)) {
        await restPage(sql, page, true)
        return 'full'
      }
      const claims = await replacePage(sql, page, { taken, written }, leaseMs)
      if (claims) {
        if (written.length > 0) wakeUp.announce('broadcast')
        return claims
      }
      // Paused meanwhile, or the page is not ours any more.
      const found = await selectPaused(sql, taken)
      if (found.length === 0) return 'lost'
      for (const provider of found) paused.add(provider)
    }
  }

  async #restorePage(page: PageClaim, written: readonly NewBatch[]) {
    const { sql, wakeUp, leaseMs } = this.#deps
    if (await isProviderFull(sql, written)) {
      await restPage(sql, page, false)
      return 'full'
    }
    const isRestored = await replacePage(sql, page, { taken: [], written }, leaseMs)
    // A walk may have waited for it.
    if (isRestored) wakeUp.announce('pages')
    return isRestored ? 'restored' : 'lost'
  }

  /** As one that is retried at once. */
  async #restoreBatch({ id, fence }: LostPart, batches: readonly NewBatch[]) {
    const retries = batches.map(({ lines, count }) => ({
      lines: lines.toString(),
      count,
      delayMs: 0,
      ambiguousAttempts: 0,
    }))
    const settled = await settleBatches(this.#deps.sql, [{ claim: { id, fence }, retries, givenUp: [] }])
    return settled.size > 0 ? 'restored' : 'lost'
  }
}

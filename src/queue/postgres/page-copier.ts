// A page of a walk where queue and devices are in one database: written by the server that reads it. Through the process a
// page of two megabytes is received, made into texts, and sent again, which costs more than all the rest of its way.
import * as v from 'valibot'
import { PROVIDER_NAMES } from '../../config/provider-names.ts'
import type { Fragment, Sql, Transaction } from '../../database/pool.ts'
import { runTransaction } from '../../database/transaction.ts'
import type { CopiedPage, CopyResult, PageCopies, PagePlan, RecipientFilter, SendClaim } from '../queue.ts'
import { LANES } from './states.ts'
import { extendSendLease, findFull, insertPage, isCommitted, moveCursor } from './walk-statements.ts'

/** The devices in the queue's database. */
export interface DeviceSource {
  /** A pool that plans statements for their values: plans that are right for the queue are wrong for a walk. */
  sql: Sql
  /**
   * Resolves to a query for the batches of the page after the device `after`: their `provider`, `count`, `lines` and
   * `last`, the greatest of which is the next page's `after`; to undefined when there are no such devices.
   */
  selectBatches(
    filter: RecipientFilter,
    after: string | undefined,
    plan: PagePlan,
  ): Promise<{ query: Fragment } | undefined>
}

const Written = v.array(
  v.object({ provider: v.picklist(PROVIDER_NAMES), count: v.number(), batches: v.number(), last: v.string() }),
)

/** Another worker has the walk, or it was cancelled: what was written is to be rolled back. */
class LostClaim extends Error {}

interface Deps {
  /** The queue's pool. */
  sql: Sql
  devices: DeviceSource
  plan: PagePlan
  leaseMs: number
}

/** A page on its way. */
interface Copying {
  /** Resolves as soon as it is read, to where the next one starts; to undefined when there is none, or this one failed. */
  next: Promise<string | undefined>
  result: Promise<CopyResult>
}

/**
 * Copies the pages of a walk, one ahead: the next page is read and written while this one is committed, and after it its
 * own cursor is moved. Should this one be lost then the next one's cursor does not fit, and it is rolled back.
 */
export class PageCopier implements PageCopies {
  readonly #deps: Deps
  #ahead: { after: string; copying: Copying } | undefined

  constructor(deps: Deps) {
    this.#deps = deps
  }

  copy(claim: SendClaim): Promise<CopyResult> {
    const known = this.#ahead?.after === claim.cursor ? this.#ahead?.copying : undefined
    const copying = known ?? this.#begin(claim, Promise.resolve())
    this.#ahead = undefined
    void copying.next.then((after) => {
      if (after === undefined) return
      this.#ahead = { after, copying: this.#begin({ ...claim, cursor: after }, copying.result) }
    })
    return copying.result
  }

  async end(): Promise<void> {
    // Its failure is that of a page which nobody asked for.
    await this.#ahead?.copying.result.catch(() => undefined)
  }

  /** @param turn settles when the cursor may be moved */
  #begin(claim: SendClaim, turn: Promise<unknown>): Copying {
    let tellNext: (cursor: string | undefined) => void = () => undefined
    const next = new Promise<string | undefined>((resolve) => {
      tellNext = resolve
    })
    const result = copyPage(this.#deps, claim, async (cursor) => {
      tellNext(cursor)
      await turn
    }).finally(() => tellNext(undefined))
    // Whoever asks for the page hears of its failure; if the walk ends before, nobody has to.
    result.catch(() => undefined)
    return { next, result }
  }
}

/**
 * Writes the page behind the claim's cursor and moves that, under the claim's fence, as insertPage() does.
 * @param onWritten awaited in between, with where the next page starts
 */
async function copyPage(
  { sql, devices, plan, leaseMs }: Deps,
  claim: SendClaim,
  onWritten: (cursor: string | undefined) => Promise<void>,
): Promise<CopyResult> {
  if (claim.recipient.kind !== 'filter') throw new Error('only devices are copied')
  const providers = [...plan.batchSizes.keys()]
  const full = await findFull(sql, providers)
  if (full.size > 0) {
    if ((await extendSendLease(sql, claim, leaseMs)) === 'lost') return 'lost'
    return full.size === providers.length ? 'full' : 'partly full'
  }
  const source = await devices.selectBatches(claim.recipient.filter, claim.cursor, plan)
  if (!source) return endWalk(sql, claim, leaseMs)
  let page: CopiedPage | undefined
  try {
    return await runTransaction(devices.sql, async (tx) => {
      const written = await writeBatches(tx, claim, source.query, providers)
      page = readPage(written, plan.limit)
      await onWritten(page.cursor)
      const opened = written.filter(({ provider }) => plan.batchSizes.has(provider))
      const batches = opened.reduce((sum, { batches }) => sum + batches, 0)
      // Last, because every acknowledgement of the send's batches waits for this row.
      const moved = await tx`${moveCursor(tx, claim, page.cursor, batches, leaseMs)}`
      if (moved.length === 0) throw new LostClaim()
      return page
    })
  } catch (error) {
    if (!(error instanceof LostClaim) || !page) throw error
    return (await isCommitted(sql, claim, page.cursor)) ? page : 'lost'
  }
}

async function endWalk(sql: Sql, claim: SendClaim, leaseMs: number): Promise<CopyResult> {
  const result = await insertPage(sql, claim, { batches: [], cursor: undefined }, leaseMs)
  return result === 'committed' ? { cursor: undefined, counts: new Map() } : result
}

/** Nobody sees them before the cursor has moved. @returns what the page has for each provider, written or not */
async function writeBatches(tx: Transaction, { uid }: SendClaim, source: Fragment, providers: readonly string[]) {
  const rows = await tx`
    with batch as materialized (${source}), written as (
      insert into push_batches (uid, lane, provider, target_kind, target_count, targets, claimable_at)
      select ${uid}, ${LANES.broadcast}, provider, 'token', count, lines, clock_timestamp()
      from batch where provider = any(${[...providers]}::text[])
    )
    select provider, sum(count)::int as count, count(*)::int as batches, max(last) as last from batch group by provider`
  return v.parse(Written, [...rows])
}

function readPage(written: v.InferOutput<typeof Written>, limit: number): CopiedPage {
  const total = written.reduce((sum, { count }) => sum + count, 0)
  const lasts = written.map(({ last }) => last).sort()
  return {
    cursor: total < limit ? undefined : lasts.at(-1),
    counts: new Map(written.map(({ provider, count }) => [provider, count])),
  }
}

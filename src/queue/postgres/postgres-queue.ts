// The queue on PostgreSQL: claims with SKIP LOCKED, notify after commit, poll behind it.
import type { ProviderName } from '../../config/provider-names.ts'
import type { Sql } from '../../database/pool.ts'
import type { Logger } from '../../observability/log.ts'
import type { BatchClaim, CommitResult, Lane, Page, Queue, QueueStats, Retry, Send, SendClaim } from '../queue.ts'
import {
  claimWaitingBatches,
  countJobs,
  extendLeases,
  releaseBatches,
  selectStats,
  settleBatch,
} from './batch-statements.ts'
import {
  cancelSend,
  claimDueSend,
  deleteEndedSends,
  insertPage,
  insertSend,
  releaseWalk,
  selectSend,
} from './send-statements.ts'
import { WakeUp } from './wake-up.ts'

/** The depth is counted this often at most: a send more or less does not matter, a count per send does. */
const DEPTH_INTERVAL_MS = 1000
const UPKEEP_INTERVAL_MS = 60_000

interface Deps {
  sql: Sql
  logger: Logger
  /** How long a claim lasts unless it is extended. */
  leaseMs: number
  /** Jobs that may wait before sends are refused. */
  maxJobs: number
}

export class PostgresQueue implements Queue {
  readonly #sql: Sql
  readonly #logger: Logger
  readonly #leaseMs: number
  readonly #maxJobs: number
  readonly #wakeUp: WakeUp
  readonly #upkeepTimer: NodeJS.Timeout
  #upkeep: Promise<void> = Promise.resolve()
  #full: { untilMs: number; answer: Promise<boolean> } | undefined

  constructor(deps: Deps) {
    this.#sql = deps.sql
    this.#logger = deps.logger
    this.#leaseMs = deps.leaseMs
    this.#maxJobs = deps.maxJobs
    this.#wakeUp = new WakeUp(deps)
    this.#upkeepTimer = setInterval(() => this.#cleanUp(), UPKEEP_INTERVAL_MS).unref()
  }

  async enqueue(send: Send, page?: Page): Promise<'accepted' | 'duplicate' | 'conflict' | 'full'> {
    if (await this.#isFull()) return 'full'
    const result = await insertSend(this.#sql, send, page)
    if (result === 'accepted') this.#wakeUp.announce()
    return result
  }

  cancel(uid: string): Promise<void> {
    return cancelSend(this.#sql, uid)
  }

  claimSend(): Promise<SendClaim | undefined> {
    return claimDueSend(this.#sql, this.#leaseMs)
  }

  async commitPage(claim: SendClaim, page: Page): Promise<CommitResult> {
    const result = await insertPage(this.#sql, claim, page, this.#leaseMs)
    if (result === 'committed') this.#wakeUp.announce()
    return result
  }

  async releaseSend(claim: SendClaim): Promise<void> {
    await releaseWalk(this.#sql, claim)
    this.#wakeUp.announce()
  }

  claimBatches(lane: Lane, providers: readonly ProviderName[], limit: number): Promise<BatchClaim[]> {
    return claimWaitingBatches(this.#sql, lane, providers, limit, this.#leaseMs)
  }

  loadSend(uid: string): Promise<Send | undefined> {
    return selectSend(this.#sql, uid)
  }

  extend(claims: readonly BatchClaim[]): Promise<ReadonlySet<string>> {
    return extendLeases(this.#sql, claims, this.#leaseMs)
  }

  acknowledge(claim: BatchClaim, retries: readonly Retry[]): Promise<'acknowledged' | 'lost'> {
    return settleBatch(this.#sql, claim, retries)
  }

  async release(claims: readonly BatchClaim[]): Promise<void> {
    await releaseBatches(this.#sql, claims)
    this.#wakeUp.announce()
  }

  waitForWork(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return this.#wakeUp.wait(timeoutMs, signal)
  }

  stats(): Promise<QueueStats> {
    return selectStats(this.#sql)
  }

  async close(): Promise<void> {
    clearInterval(this.#upkeepTimer)
    await this.#upkeep
    await this.#wakeUp.close()
  }

  #isFull(): Promise<boolean> {
    const nowMs = Date.now()
    if (!this.#full || nowMs >= this.#full.untilMs) {
      const answer = countJobs(this.#sql, this.#maxJobs).then((jobs) => jobs >= this.#maxJobs)
      this.#full = { untilMs: nowMs + DEPTH_INTERVAL_MS, answer }
    }
    return this.#full.answer
  }

  #cleanUp(): void {
    this.#upkeep = deleteEndedSends(this.#sql).catch((error: unknown) => {
      this.#logger.warn({ err: error }, 'queue: ended sends could not be cleaned up, trying again in a minute')
    })
  }
}

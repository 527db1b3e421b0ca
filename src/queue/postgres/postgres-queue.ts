// The queue on PostgreSQL: claims with SKIP LOCKED, notify after commit, poll behind it.
import type { ProviderName } from '../../config/provider-names.ts'
import type { Sql } from '../../database/pool.ts'
import type { Logger } from '../../observability/log.ts'
import { laneOfWork, type Work } from '../announcements.ts'
import {
  type BatchClaim,
  type DeadLetterFilter,
  type Drop,
  type GivenUp,
  LANES,
  type Lane,
  type Page,
  type Progress,
  type Queue,
  type Retry,
  type Send,
  type SendClaim,
  type TakenPages,
} from '../queue.ts'
import { Acknowledgements } from './acknowledgements.ts'
import { claimWaitingBatches, extendLeases, releaseBatches, updateSettled } from './batch-statements.ts'
import { deleteDeadLetters, reviveDeadLetters, selectDeadLetters } from './dead-letter-statements.ts'
import { insertDrop, selectDropped } from './drop-statements.ts'
import { inTime } from './in-time.ts'
import { deletePause, upsertPause } from './pause-statements.ts'
import { cancelSend, insertSend, selectCancelled, selectContent } from './send-statements.ts'
import { countJobs, findSettingRisks, selectStats } from './stats-statements.ts'
import { PostgresTakenPages } from './taken-pages.ts'
import { buryAbandonedBatches, deleteForgottenSends } from './upkeep-statements.ts'
import { WakeUp } from './wake-up.ts'
import { claimDueSends, extendSendLease, insertPage, releaseWalk } from './walk-statements.ts'

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
  /** How long after a start of the server claims are kept whose lease ended meanwhile; a lease unless given. */
  settleMs?: number
}

export class PostgresQueue implements Queue {
  readonly takenPages: TakenPages
  readonly #sql: Sql
  readonly #logger: Logger
  readonly #leaseMs: number
  readonly #maxJobs: number
  readonly #wakeUp: WakeUp
  readonly #acknowledgements: Acknowledgements
  readonly #upkeepTimer: NodeJS.Timeout
  #upkeep: Promise<void> = Promise.resolve()
  #full: { untilMs: number; answer: Promise<boolean> } | undefined

  constructor(deps: Deps) {
    this.#sql = deps.sql
    this.#logger = deps.logger
    this.#leaseMs = deps.leaseMs
    this.#maxJobs = deps.maxJobs
    this.#wakeUp = new WakeUp(deps)
    this.#acknowledgements = new Acknowledgements(deps)
    this.takenPages = new PostgresTakenPages({
      ...deps,
      wakeUp: this.#wakeUp,
      settleMs: deps.settleMs ?? deps.leaseMs,
    })
    this.#upkeepTimer = setInterval(() => this.#cleanUp(), UPKEEP_INTERVAL_MS).unref()
  }

  findRisks() {
    return inTime(findSettingRisks(this.#sql))
  }

  async enqueue(send: Send, page?: Page) {
    if (await inTime(this.#isFull())) return 'full'
    const work = send.takesPages ? 'pages' : laneOfWork(send, page)
    const notice = this.#wakeUp.takeNotice(work)
    const result = await inTime(insertSend(this.#sql, send, page, notice))
    this.#wakeUp.announce(work, notice)
    return result
  }

  cancel(uid: string) {
    return inTime(cancelSend(this.#sql, uid))
  }

  drop(uid: string, drop: Drop) {
    return inTime(insertDrop(this.#sql, uid, drop))
  }

  claimSends(lane: Lane, limit: number) {
    return inTime(claimDueSends(this.#sql, lane, limit, this.#leaseMs))
  }

  commitPage(claim: SendClaim, page: Page) {
    return this.#announcing(insertPage(this.#sql, claim, page, this.#leaseMs), laneOfWork(claim, page))
  }

  extendWalk(claim: SendClaim) {
    return inTime(extendSendLease(this.#sql, claim, this.#leaseMs))
  }

  releaseSend(claim: SendClaim) {
    return this.#announcing(releaseWalk(this.#sql, claim), claim.lane)
  }

  claimBatches(lane: Lane, providers: readonly ProviderName[], limit: number) {
    return inTime(claimWaitingBatches(this.#sql, lane, providers, limit, this.#leaseMs))
  }

  loadContent(uid: string) {
    return inTime(selectContent(this.#sql, uid))
  }

  findCancelled(uids: readonly string[]) {
    return inTime(selectCancelled(this.#sql, uids))
  }

  findDropped(uid: string, targets: readonly { user: string; deviceId: string }[]) {
    return inTime(selectDropped(this.#sql, uid, targets))
  }

  extend(claims: readonly BatchClaim[]) {
    return inTime(extendLeases(this.#sql, claims, this.#leaseMs))
  }

  checkpoint(progress: readonly Progress[]) {
    return inTime(updateSettled(this.#sql, progress))
  }

  acknowledge(claim: BatchClaim, left: { retries: readonly Retry[]; givenUp: readonly GivenUp[] }) {
    const answer = inTime(this.#acknowledgements.add({ claim, ...left }))
    // A retry that is due at once is work for others.
    return left.retries.some(({ delayMs }) => delayMs === 0) ? this.#announcing(answer, claim.lane) : answer
  }

  release(claims: readonly BatchClaim[]) {
    return this.#announcing(releaseBatches(this.#sql, claims), ...claims.map(({ lane }) => lane))
  }

  pause(provider: ProviderName, reason: string, probeEveryMs: number | undefined) {
    return inTime(upsertPause(this.#sql, provider, reason, probeEveryMs))
  }

  resume(provider: ProviderName) {
    return this.#announcing(deletePause(this.#sql, provider), ...LANES)
  }

  listDeadLetters(filter: DeadLetterFilter, limit: number, after?: string) {
    return inTime(selectDeadLetters(this.#sql, filter, limit, after))
  }

  retryDeadLetters(filter: DeadLetterFilter) {
    return this.#announcing(reviveDeadLetters(this.#sql, filter), ...LANES)
  }

  dropDeadLetters(filter: DeadLetterFilter) {
    return inTime(deleteDeadLetters(this.#sql, filter))
  }

  waitForWork(lane: Lane, timeoutMs: number, signal: AbortSignal) {
    return this.#wakeUp.wait(lane, timeoutMs, signal)
  }

  stats() {
    return inTime(selectStats(this.#sql))
  }

  async close() {
    clearInterval(this.#upkeepTimer)
    await this.#upkeep
    await this.#wakeUp.close()
  }

  /** For what makes work: others are told when it is committed. */
  async #announcing<T>(answer: Promise<T>, ...works: Work[]): Promise<T> {
    const result = await inTime(answer)
    for (const work of new Set(works)) this.#wakeUp.announce(work)
    return result
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
    this.#upkeep = this.#upkeep
      .then(() => deleteForgottenSends(this.#sql))
      .then(() => buryAbandonedBatches(this.#sql))
      .catch((error: unknown) => {
        this.#logger.warn({ err: error }, 'queue: could not be cleaned up, trying again in a minute')
      })
  }
}

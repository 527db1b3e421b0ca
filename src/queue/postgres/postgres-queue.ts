// The queue on PostgreSQL: it claims with SKIP LOCKED and announces work with NOTIFY. Workers also poll, because an
// announcement may be lost.
import type { ProviderName } from '../../config/provider-names.ts'
import type { Sql } from '../../database/pool.ts'
import { TimedCalls } from '../../database/timed-calls.ts'
import type { Logger } from '../../observability/log.ts'
import type { AckRule } from '../../sends/ack-rule.ts'
import { type Repetition, startRepeating } from '../../timing/repeat.ts'
import { laneOfWork } from '../announcements.ts'
import type { ClaimKey, Progress, Remainder } from '../batch.ts'
import type { DeadLetterFilter } from '../dead-letter.ts'
import { LANES, type Lane } from '../lane.ts'
import { KEEP_REPORTS_MS } from '../limits.ts'
import type { Queue } from '../queue.ts'
import { LimitCheck, type QueueLimits } from '../queue-limits.ts'
import type { ReportFilter, StatusCount } from '../report.ts'
import type { Exclusion, Page, Send, SendClaim } from '../send.ts'
import { isOnlySmallPage } from '../walked-page.ts'
import { groupAcknowledgements } from './acknowledgements.ts'
import { claimWaitingBatches, confirmClaims, releaseBatches, updateProgress } from './batch-statements.ts'
import { countDeadLetters, deleteDeadLetters, reviveDeadLetters, selectDeadLetters } from './dead-letter-statements.ts'
import { Exclusions } from './exclusions.ts'
import { GroupedSends } from './grouped-sends.ts'
import { inTime } from './in-time.ts'
import { groupPageCommits } from './page-commits.ts'
import { deletePause, upsertPause } from './pause-statements.ts'
import { addStatuses, selectReport, selectReports } from './report-statements.ts'
import { selectSend } from './send-statements.ts'
import { countJobs, countScheduled, findSettingRisks, selectStats } from './stats-statements.ts'
import { selectUntilDue } from './until-due-statement.ts'
import { deleteForgottenSends, deleteOldReports, giveUpUnclaimedBatches } from './upkeep-statements.ts'
import { WakeUp } from './wake-up.ts'
import { claimDueSends, extendSendLease, insertPage, releaseWalk } from './walk-statements.ts'

const UPKEEP_INTERVAL_MS = 60_000

interface Deps extends QueueLimits {
  sql: Sql
  logger: Logger
  /** The lease: how long a claim is valid in ms unless it is extended. */
  leaseMs: number
  /** For this many ms after a start of PostgreSQL no abandoned batch is claimed; by default the time of one lease. */
  restartGraceMs?: number
  /** The time limit in ms of a call that an API answers; ten seconds by default. */
  answerTimeoutMs?: number
  /** How long the report of a send is kept after its end, in ms; KEEP_REPORTS_MS by default. */
  keepReportsMs?: number
}

/** The queue in tables of a PostgreSQL database. */
export class PostgresQueue implements Queue {
  readonly #sql: Sql
  readonly #calls: TimedCalls
  readonly #leaseMs: number
  readonly #restartGraceMs: number
  readonly #keepReportsMs: number
  readonly #wakeUp: WakeUp
  readonly #sends: GroupedSends
  readonly #pageCommits: ReturnType<typeof groupPageCommits>
  readonly #acknowledgements: ReturnType<typeof groupAcknowledgements>
  readonly #exclusions: Exclusions
  readonly #upkeep: Repetition

  constructor(deps: Deps) {
    this.#sql = deps.sql
    this.#calls = new TimedCalls(deps)
    this.#leaseMs = deps.leaseMs
    this.#restartGraceMs = deps.restartGraceMs ?? deps.leaseMs
    this.#keepReportsMs = deps.keepReportsMs ?? KEEP_REPORTS_MS
    this.#wakeUp = new WakeUp(deps)
    const { sql } = deps
    const counts = { countJobs: () => countJobs(sql, deps.maxJobs), countScheduled: () => countScheduled(sql) }
    const limits = new LimitCheck(deps, counts)
    this.#sends = new GroupedSends({ sql, calls: this.#calls, limits, wakeUp: this.#wakeUp })
    this.#pageCommits = groupPageCommits(sql)
    this.#acknowledgements = groupAcknowledgements(deps.sql)
    this.#exclusions = new Exclusions({ sql: deps.sql, calls: this.#calls })
    this.#upkeep = startRepeating({
      intervalMs: UPKEEP_INTERVAL_MS,
      work: () => this.#cleanUp(),
      onError: (error) => deps.logger.warn({ err: error }, 'queue: clean-up failed, retrying in a minute'),
    })
  }

  findRisks() {
    return inTime(findSettingRisks(this.#sql))
  }

  enqueue(send: Send, page?: Page) {
    return this.#sends.enqueue(send, page)
  }

  cancel(uid: string) {
    return this.#sends.cancel(uid)
  }

  exclude(uid: string, exclusion: Exclusion) {
    return this.#exclusions.add({ uid, ...exclusion })
  }

  claimSends(lane: Lane, limit: number) {
    return inTime(claimDueSends(this.#sql, lane, limit, this.#leaseMs))
  }

  commitPage(claim: SendClaim, page: Page) {
    const committed = isOnlySmallPage({ claim, page })
      ? this.#pageCommits.add({ claim, page })
      : insertPage(this.#sql, claim, page, this.#leaseMs)
    return this.#announcing(inTime(committed), laneOfWork(claim, page))
  }

  extendWalk(claim: SendClaim) {
    return inTime(extendSendLease(this.#sql, claim, this.#leaseMs))
  }

  releaseSend(claim: SendClaim) {
    return this.#announcing(inTime(releaseWalk(this.#sql, claim)), claim.lane)
  }

  claimBatches(lane: Lane, providers: readonly ProviderName[], limit: number, leastWaitMs = 0) {
    const times = { leastWaitMs, leaseMs: this.#leaseMs, restartGraceMs: this.#restartGraceMs }
    return inTime(claimWaitingBatches(this.#sql, { lane, providers, limit, ...times }))
  }

  loadSend(uid: string) {
    return inTime(selectSend(this.#sql, uid))
  }

  findExcluded(uid: string, targets: readonly { user: string; deviceId: string }[], rule: AckRule) {
    return this.#exclusions.find({ uid, targets, rule })
  }

  confirm(claims: readonly ClaimKey[], extendAfterMs: number) {
    return inTime(confirmClaims(this.#sql, claims, { leaseMs: this.#leaseMs, extendAfterMs }))
  }

  checkpoint(progress: readonly Progress[]) {
    return inTime(updateProgress(this.#sql, progress))
  }

  acknowledge(claim: ClaimKey, remainder: Remainder) {
    const answer = this.#acknowledgements.add({ claim, ...remainder })
    // A retry without a delay can be claimed at once, so its lane is announced to other workers.
    return remainder.retries.some(({ delayMs }) => delayMs === 0) ? this.#announcing(answer, claim.lane) : answer
  }

  release(claims: readonly ClaimKey[]) {
    return this.#announcing(inTime(releaseBatches(this.#sql, claims)), ...claims.map(({ lane }) => lane))
  }

  pause(provider: ProviderName, reason: string, probeEveryMs: number | undefined) {
    return this.#calls.run((deadline) => upsertPause(this.#sql, { provider, reason, probeEveryMs }, deadline))
  }

  resume(provider: ProviderName) {
    const resumed = this.#calls.run((deadline) => deletePause(this.#sql, provider, deadline))
    return this.#announcing(resumed, ...LANES)
  }

  listDeadLetters(filter: DeadLetterFilter, limit: number, after?: string) {
    return inTime(selectDeadLetters(this.#sql, filter, limit, after))
  }

  countDeadLetters(filter: DeadLetterFilter) {
    return inTime(countDeadLetters(this.#sql, filter))
  }

  retryDeadLetters(filter: DeadLetterFilter) {
    const retried = this.#calls.run((deadline) => reviveDeadLetters(this.#sql, filter, deadline))
    return this.#announcing(retried, ...LANES)
  }

  deleteDeadLetters(filter: DeadLetterFilter) {
    return this.#calls.run((deadline) => deleteDeadLetters(this.#sql, filter, deadline))
  }

  loadReport(uid: string) {
    return inTime(selectReport(this.#sql, uid))
  }

  listReports(filter: ReportFilter, limit: number, cursor?: string) {
    return inTime(selectReports(this.#sql, filter, limit, cursor))
  }

  countStatuses(counts: readonly StatusCount[]) {
    return inTime(addStatuses(this.#sql, counts))
  }

  waitForWork(lane: Lane, timeoutMs: number, signal: AbortSignal) {
    return this.#wakeUp.wait(lane, timeoutMs, signal)
  }

  async untilDue(lane: Lane, providers: readonly ProviderName[]) {
    return this.#wakeUp.isHearing ? await inTime(selectUntilDue(this.#sql, lane, providers)) : 0
  }

  stats() {
    return inTime(selectStats(this.#sql))
  }

  async close() {
    await this.#upkeep.stop()
    await this.#wakeUp.close()
  }

  /** Announces work in `lanes` after the statement that makes the work is committed. */
  async #announcing<T>(answer: Promise<T>, ...lanes: Lane[]): Promise<T> {
    const result = await answer
    for (const lane of new Set(lanes)) this.#wakeUp.announce(lane)
    return result
  }

  async #cleanUp(): Promise<void> {
    await deleteForgottenSends(this.#sql)
    await deleteOldReports(this.#sql, this.#keepReportsMs)
    await giveUpUnclaimedBatches(this.#sql)
  }
}

// The queue on Redis Streams: a stream of batches for each lane and provider, read by one consumer group. Each change
// of state is one Lua script (lua/), so it is atomic. The consumer that owns a pending entry and the number of its
// deliveries together are the fence of a claim.
import { randomUUID } from 'node:crypto'
import type { ProviderName } from '../../config/provider-names.ts'
import type { Logger } from '../../observability/log.ts'
import type { RedisClient } from '../../redis/connect.ts'
import type { AckRule } from '../../sends/ack-rule.ts'
import type { Repetition } from '../../timing/repeat.ts'
import type { ClaimKey, Progress, Remainder } from '../batch.ts'
import type { DeadLetterFilter } from '../dead-letter.ts'
import type { Lane, WorkKind } from '../lane.ts'
import { KEEP_REPORTS_MS } from '../limits.ts'
import type { Queue } from '../queue.ts'
import { LimitCheck, type QueueLimits } from '../queue-limits.ts'
import type { ReportFilter, StatusCount } from '../report.ts'
import type { Exclusion, Page, Send, SendClaim } from '../send.ts'
import { groupAcknowledgements } from './acknowledgements.ts'
import { type Consumer, claimBatches, confirmClaims, releaseBatch, storeProgress } from './batch-scripts.ts'
import { DeadLetters } from './dead-letters.ts'
import { endEvictedBatches } from './evicted-batches.ts'
import { GroupedSends } from './grouped-sends.ts'
import { makeKeys } from './keys.ts'
import { MAX_RECENT_WRITES_BYTES, MAX_REPORTS } from './limits.ts'
import { pauseProvider, resumeProvider } from './pause-scripts.ts'
import type { QueuePart } from './queue-part.ts'
import { RecentWrites, SMALL_WRITE_BYTES } from './recent-writes.ts'
import { countStatuses, listReports, loadReport } from './report-scripts.ts'
import { findRisks } from './risks.ts'
import { findExcluded, isSendStored, loadSend, storeExclusion } from './send-scripts.ts'
import { makeCounts, readStats } from './stats.ts'
import { TimedWrites } from './timed-writes.ts'
import { readUntilDue } from './until-due.ts'
import { startUpkeep } from './upkeep.ts'
import { WakeUp } from './wake-up.ts'
import { claimDueSends, extendSendLease, PageCommits } from './walk-scripts.ts'

/** How many times during one lease a process looks for abandoned batches, unless `sweepMs` is given. */
const SWEEPS_PER_LEASE = 7.5

/** The parts of a queue on Redis. */
export interface RedisQueueDeps extends QueueLimits {
  client: RedisClient
  /** A second connection, used only to listen for announcements. The queue closes both connections. */
  subscriber: RedisClient
  /** The beginning of the names of all keys. */
  prefix: string
  logger: Logger
  /** The lease: how long a claim is valid in ms unless it is extended. */
  leaseMs: number
  /** How long `client` waits for a reply, in ms; `io_timeout`'s default by default. */
  answerTimeoutMs?: number
  /** The time between two searches for abandoned batches, in ms. */
  sweepMs?: number
  /** How long the report of a send is kept after its end, in ms; KEEP_REPORTS_MS by default. */
  keepReportsMs?: number
  /** Its part in a queue of several partitions (partitioned-queue.ts); absent: it is the whole queue. */
  part?: QueuePart
}

/** The queue on Redis 7.0 or newer. */
export class RedisQueue implements Queue {
  /**
   * The consumer of this process. It has a new name at each start, so that it cannot extend claims of an earlier run.
   */
  readonly #here: Consumer
  readonly #logger: Logger
  readonly #leaseMs: number
  readonly #sweepMs: number
  readonly #wakeUp: WakeUp
  readonly #writes: TimedWrites
  readonly #deadLetters: DeadLetters
  readonly #recentWrites: RecentWrites
  readonly #acknowledgements: ReturnType<typeof groupAcknowledgements>
  readonly #sends: GroupedSends
  readonly #pageCommits: PageCommits
  readonly #upkeep: Repetition
  readonly #nextSweepMs: Record<Lane, number> = { small: 0, broadcast: 0 }

  constructor(deps: RedisQueueDeps) {
    const { client, subscriber, prefix, logger, leaseMs, sweepMs, answerTimeoutMs, part } = deps
    const count = part?.count ?? 1
    const keys = makeKeys(prefix, { partition: part?.index ?? 0, isSharded: client.isCluster })
    this.#here = { client, keys, consumer: randomUUID() }
    this.#logger = logger
    this.#leaseMs = leaseMs
    this.#sweepMs = sweepMs ?? leaseMs / SWEEPS_PER_LEASE
    this.#wakeUp = new WakeUp({ subscriber, keys, logger, onAnnounced: part?.onAnnounced })
    this.#writes = new TimedWrites({ client, keys, answerTimeoutMs })
    this.#deadLetters = new DeadLetters({ ...this.#here, writes: this.#writes })
    this.#recentWrites = new RecentWrites({ client, logger, maxBytes: MAX_RECENT_WRITES_BYTES / count })
    this.#acknowledgements = groupAcknowledgements(this.#here)
    const { keepReportsMs = KEEP_REPORTS_MS } = deps
    const limits = part?.limits ?? new LimitCheck(deps, makeCounts(this.#here))
    const parts = { queue: this.#here, writes: this.#writes, recentWrites: this.#recentWrites }
    this.#sends = new GroupedSends({ ...parts, limits, keepReportsMs })
    this.#pageCommits = new PageCommits(this.#here, leaseMs)
    this.#upkeep = startUpkeep({ queue: this.#here, keepReportsMs, maxReports: Math.ceil(MAX_REPORTS / count), logger })
  }

  findRisks() {
    return findRisks(this.#here.client)
  }

  enqueue(send: Send, page?: Page) {
    return this.#sends.enqueue(send, page)
  }

  cancel(uid: string) {
    return this.#sends.cancel(uid)
  }

  async exclude(uid: string, exclusion: Exclusion) {
    const store = () => this.#writes.run((deadlineMs) => storeExclusion(this.#here, uid, exclusion, deadlineMs))
    const result = await store()
    const repeat = () => store().then(() => true)
    this.#recentWrites.remember({ bytes: SMALL_WRITE_BYTES, isCancellation: true, repeat })
    return result
  }

  /** Whether a send is stored under this uid, and not only its cancellation or exclusions from it. */
  isStored(uid: string): Promise<boolean> {
    return isSendStored(this.#here, uid)
  }

  claimSends(lane: Lane, limit: number) {
    return claimDueSends(this.#here, lane, limit, this.#leaseMs)
  }

  commitPage(claim: SendClaim, page: Page) {
    return this.#pageCommits.commit(claim, page)
  }

  extendWalk(claim: SendClaim) {
    return extendSendLease(this.#here, claim, this.#leaseMs)
  }

  async releaseSend(claim: SendClaim) {
    await extendSendLease(this.#here, claim, 0)
  }

  async claimBatches(lane: Lane, providers: readonly ProviderName[], limit: number, leastWaitMs = 0) {
    const looksForAbandoned = this.#isSweepDue(lane)
    const options = { lane, providers, limit, leastWaitMs, leaseMs: this.#leaseMs, looksForAbandoned }
    const { claims, empty } = await claimBatches(this.#here, options)
    await endEvictedBatches(this.#here, empty, this.#logger)
    return claims
  }

  loadSend(uid: string) {
    return loadSend(this.#here, uid)
  }

  findExcluded(uid: string, targets: readonly { user: string; deviceId: string }[], rule: AckRule) {
    return findExcluded(this.#here, uid, targets, rule)
  }

  confirm(claims: readonly ClaimKey[], extendAfterMs: number) {
    return confirmClaims(this.#here, claims, extendAfterMs)
  }

  checkpoint(progress: readonly Progress[]) {
    return storeProgress(this.#here, progress)
  }

  acknowledge(claim: ClaimKey, remainder: Remainder) {
    return this.#acknowledgements.add({ claim, ...remainder })
  }

  async release(claims: readonly ClaimKey[]) {
    await Promise.all(claims.map((claim) => releaseBatch(this.#here, claim)))
  }

  pause(provider: ProviderName, reason: string, probeEveryMs: number | undefined) {
    return this.#writes.run((deadlineMs) => pauseProvider(this.#here, { provider, reason, probeEveryMs }, deadlineMs))
  }

  resume(provider: ProviderName) {
    return this.#writes.run((deadlineMs) => resumeProvider(this.#here, provider, deadlineMs))
  }

  async listDeadLetters(filter: DeadLetterFilter, limit: number, after?: string) {
    return (await this.#deadLetters.list(filter, limit, after)).map(({ lane: _, ...letter }) => letter)
  }

  countDeadLetters(filter: DeadLetterFilter) {
    return this.#deadLetters.count(filter)
  }

  retryDeadLetters(filter: DeadLetterFilter) {
    return this.#deadLetters.retry(filter)
  }

  deleteDeadLetters(filter: DeadLetterFilter) {
    return this.#deadLetters.delete(filter)
  }

  loadReport(uid: string) {
    return loadReport(this.#here, uid)
  }

  listReports(filter: ReportFilter, limit: number, cursor?: string) {
    return listReports(this.#here, filter, limit, cursor)
  }

  countStatuses(counts: readonly StatusCount[]) {
    return countStatuses(this.#here, counts)
  }

  /** Calls `part.onAnnounced` for announcements of a lane from here on. */
  listenTo(lane: Lane) {
    this.#wakeUp.listenTo(lane)
  }

  waitForWork(lane: Lane, timeoutMs: number, signal: AbortSignal, only?: WorkKind) {
    return this.#wakeUp.wait(lane, timeoutMs, signal, only)
  }

  async untilDue(lane: Lane, providers: readonly ProviderName[]) {
    return this.#wakeUp.isHearing ? await readUntilDue(this.#here, lane, providers, this.#sweepMs) : 0
  }

  stats() {
    return readStats(this.#here)
  }

  async close() {
    const upkeepStopped = this.#upkeep.stop()
    this.#recentWrites.close()
    this.#wakeUp.close()
    // The connection is closed before the upkeep is awaited: if Redis is unreachable, commands of the upkeep end only
    // with it.
    this.#here.client.disconnect()
    await upkeepStopped
  }

  /**
   * Whether this claim has to look for abandoned batches. Only some claims do, because the search reads all pending
   * entries, which costs more than the claim.
   */
  #isSweepDue(lane: Lane): boolean {
    const nowMs = Date.now()
    if (nowMs < this.#nextSweepMs[lane]) return false
    this.#nextSweepMs[lane] = nowMs + this.#sweepMs
    return true
  }
}

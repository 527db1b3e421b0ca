// A queue of partitions: several queues on Redis, each with its own keys, which are in one slot of a Cluster. So the
// servers of a Cluster share the work. A send, its batches, its dead letters and its report are in the partition of its
// uid. Workers claim from all partitions in turns. A pause is stored in each partition, and counts are summed.
import type { ProviderName } from '../../config/provider-names.ts'
import type { AckRule } from '../../sends/ack-rule.ts'
import { Announcements } from '../announcements.ts'
import type { ClaimKey, Progress, Remainder } from '../batch.ts'
import type { DeadLetterFilter } from '../dead-letter.ts'
import type { Lane, WorkKind } from '../lane.ts'
import type { Queue } from '../queue.ts'
import { LimitCheck } from '../queue-limits.ts'
import type { ReportFilter, StatusCount } from '../report.ts'
import type { Exclusion, Page, Send, SendClaim } from '../send.ts'
import { mergeReportPages } from './merged-reports.ts'
import { mergeStats } from './merged-stats.ts'
import { PartitionClaims } from './partition-claims.ts'
import { PartitionLetters } from './partition-letters.ts'
import { PartitionRoutes } from './partition-routes.ts'
import { RedisQueue, type RedisQueueDeps } from './redis-queue.ts'

interface Deps extends Omit<RedisQueueDeps, 'part'> {
  /** The number of partitions by which new sends are stored. */
  partitions: number
  /** Earlier numbers of partitions, by which sends may be stored. */
  earlier?: readonly number[]
  /** The longest time between two questions to a partition for work, in ms (claim-turns.ts). */
  maxSilenceMs?: number
}

/** The queue on Redis in several partitions. */
export class PartitionedRedisQueue implements Queue {
  readonly #partitions: readonly RedisQueue[]
  readonly #routes: PartitionRoutes
  readonly #claims: PartitionClaims
  readonly #letters: PartitionLetters
  readonly #announcements = new Announcements()

  constructor(deps: Deps) {
    const { partitions, earlier = [], maxSilenceMs, client, subscriber, logger } = deps
    const counts = [partitions, ...earlier]
    const count = Math.max(...counts)
    // Each partition listens to the events of both connections.
    for (const shared of [client, subscriber]) shared.setMaxListeners(0)
    const limits = new LimitCheck(deps, {
      countJobs: () => this.#count(({ jobs }) => jobs),
      countScheduled: () => this.#count(({ scheduled }) => scheduled),
    })
    this.#partitions = Array.from({ length: count }, (_, index) => {
      const onAnnounced = (lane: Lane, only: WorkKind | undefined) => {
        this.#claims.announce(lane, index)
        this.#announcements.announce(lane, only)
      }
      return new RedisQueue({ ...deps, part: { index, count, limits, onAnnounced } })
    })
    this.#routes = new PartitionRoutes(this.#partitions, counts)
    this.#claims = new PartitionClaims({ partitions: this.#partitions, logger, maxSilenceMs })
    this.#letters = new PartitionLetters(this.#partitions)
  }

  async findRisks() {
    const risks = await Promise.all(this.#partitions.map((partition) => partition.findRisks()))
    return [...new Set(risks.flat())]
  }

  async enqueue(send: Send, page?: Page) {
    const partition = await this.#routes.find(send.uid)
    return await partition.enqueue(send, page)
  }

  async cancel(uid: string) {
    await Promise.all(this.#routes.listCandidates(uid).map((partition) => partition.cancel(uid)))
  }

  async exclude(uid: string, exclusion: Exclusion) {
    const candidates = this.#routes.listCandidates(uid)
    const results = await Promise.all(candidates.map((partition) => partition.exclude(uid, exclusion)))
    return results.includes('full') ? 'full' : 'excluded'
  }

  claimSends(lane: Lane, limit: number) {
    return this.#claims.claimSends(lane, limit)
  }

  async commitPage(claim: SendClaim, page: Page) {
    const partition = await this.#routes.find(claim.uid)
    return await partition.commitPage(claim, page)
  }

  async extendWalk(claim: SendClaim) {
    const partition = await this.#routes.find(claim.uid)
    return await partition.extendWalk(claim)
  }

  async releaseSend(claim: SendClaim) {
    const partition = await this.#routes.find(claim.uid)
    await partition.releaseSend(claim)
  }

  claimBatches(lane: Lane, providers: readonly ProviderName[], limit: number, leastWaitMs?: number) {
    return this.#claims.claimBatches(lane, providers, limit, leastWaitMs)
  }

  async loadSend(uid: string) {
    const partition = await this.#routes.find(uid)
    return await partition.loadSend(uid)
  }

  async findExcluded(uid: string, targets: readonly { user: string; deviceId: string }[], rule: AckRule) {
    const partition = await this.#routes.find(uid)
    return await partition.findExcluded(uid, targets, rule)
  }

  confirm(claims: readonly ClaimKey[], extendAfterMs: number) {
    return this.#claims.confirm(claims, extendAfterMs)
  }

  checkpoint(progress: readonly Progress[]) {
    return this.#claims.checkpoint(progress)
  }

  acknowledge(claim: ClaimKey, remainder: Remainder) {
    return this.#claims.acknowledge(claim, remainder)
  }

  release(claims: readonly ClaimKey[]) {
    return this.#claims.release(claims)
  }

  async pause(provider: ProviderName, reason: string, probeEveryMs: number | undefined) {
    await Promise.all(this.#partitions.map((partition) => partition.pause(provider, reason, probeEveryMs)))
  }

  async resume(provider: ProviderName) {
    await Promise.all(this.#partitions.map((partition) => partition.resume(provider)))
  }

  listDeadLetters(filter: DeadLetterFilter, limit: number, after?: string) {
    return this.#letters.list(filter, limit, after)
  }

  countDeadLetters(filter: DeadLetterFilter) {
    return this.#letters.count(filter)
  }

  retryDeadLetters(filter: DeadLetterFilter) {
    return this.#letters.retry(filter)
  }

  deleteDeadLetters(filter: DeadLetterFilter) {
    return this.#letters.delete(filter)
  }

  async loadReport(uid: string) {
    const candidates = this.#routes.listCandidates(uid)
    const reports = await Promise.all(candidates.map((partition) => partition.loadReport(uid)))
    const known = reports.filter((report) => report !== undefined)
    return known.toSorted((a, b) => b.acceptedAtMs - a.acceptedAtMs)[0]
  }

  async listReports(filter: ReportFilter, limit: number, cursor?: string) {
    const pages = this.#partitions.map((partition) => partition.listReports(filter, limit, cursor))
    return mergeReportPages(await Promise.all(pages), limit)
  }

  async countStatuses(counts: readonly StatusCount[]) {
    const split = this.#partitions.map((partition) => ({
      partition,
      own: counts.filter(({ uid }) => this.#routes.listCandidates(uid).includes(partition)),
    }))
    const used = split.filter(({ own }) => own.length > 0)
    await Promise.all(used.map(({ partition, own }) => partition.countStatuses(own)))
  }

  waitForWork(lane: Lane, timeoutMs: number, signal: AbortSignal, only?: WorkKind) {
    for (const partition of this.#partitions) partition.listenTo(lane)
    return this.#announcements.wait(lane, timeoutMs, signal, only)
  }

  /** A partition that does not answer may have work at any moment. */
  async untilDue(lane: Lane, providers: readonly ProviderName[]) {
    const asked = this.#partitions.map((partition) => partition.untilDue(lane, providers))
    const answers = await Promise.allSettled(asked)
    return Math.min(...answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : 0)))
  }

  async stats() {
    return mergeStats(await Promise.all(this.#partitions.map((partition) => partition.stats())))
  }

  async close() {
    await Promise.all(this.#partitions.map((partition) => partition.close()))
  }

  /** Sums a count of all partitions that answer: one that does not must not stop the sends of the others. */
  async #count(read: (stats: Awaited<ReturnType<RedisQueue['stats']>>) => number): Promise<number> {
    const answers = await Promise.allSettled(this.#partitions.map((partition) => partition.stats()))
    return answers.reduce((sum, answer) => sum + (answer.status === 'fulfilled' ? read(answer.value) : 0), 0)
  }
}

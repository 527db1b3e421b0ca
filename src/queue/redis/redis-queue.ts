// The queue on Redis Streams: a stream of batches for each lane and provider, read by one consumer group. Each transition
// is one script (*.lua), whole or not at all; the owner of a pending entry and its number of deliveries are the fence.
import { randomUUID } from 'node:crypto'
import type { ProviderName } from '../../config/provider-names.ts'
import type { Logger } from '../../observability/log.ts'
import type {
  BatchClaim,
  CommitResult,
  DeadLetterFilter,
  Drop,
  GivenUp,
  Lane,
  NewBatch,
  Page,
  Progress,
  Queue,
  QueueStats,
  Retry,
  Send,
  SendClaim,
  SendContent,
} from '../queue.ts'
import { decodeContent, encodeContent, encodeRecipient } from '../send-content.ts'
import { DeadLetters } from './dead-letters.ts'
import { makeKeys, type QueueKeys } from './keys.ts'
import { readBatchClaims, readPauses, readSendClaims, readWord } from './replies.ts'
import { findRisks } from './risks.ts'
import { isOutOfMemory, type RedisClient, Script } from './script.ts'
import { countJobs, readStats } from './stats.ts'
import { WakeUp } from './wake-up.ts'

export const GROUP = 'workers'
/** A broadcast's walk waits while this many batches of one of its page's providers wait: memory stays flat. */
const WAITING_BATCHES_PER_PROVIDER = 200
/** The same while a provider is paused, so that its part of a broadcast does not hold up the others at once. */
const WAITING_BATCHES_WHILE_PAUSED = 2000
/** More means that the send should be cancelled as a whole. */
const MAX_DROPS = 100_000
/** How long a uid is kept after its send ended, the same with dead letters, and how long a mark waits for its send. */
const KEEP_ENDED_SECONDS = 24 * 3600
const KEEP_DEAD_LETTERS_SECONDS = 7 * 24 * 3600
const KEEP_MARK_SECONDS = 600
/** The depth is counted this often at most: a send more or less does not matter, a count per send does. */
const DEPTH_INTERVAL_MS = 1000
const UPKEEP_INTERVAL_MS = 60_000
/** Ended leases are looked for this many times in one, unless told otherwise. */
const SWEEPS_PER_LEASE = 7.5

interface Deps {
  client: RedisClient
  /** A second connection, that is used for nothing but listening. Both are closed with the queue. */
  subscriber: RedisClient
  /** Before all keys. */
  prefix: string
  logger: Logger
  /** How long a claim lasts unless it is extended. */
  leaseMs: number
  /** Jobs that may wait before sends are refused. */
  maxJobs: number
  /** How often ended leases are looked for. */
  sweepMs?: number
}

export class RedisQueue implements Queue {
  readonly #client: RedisClient
  readonly #keys: QueueKeys
  readonly #logger: Logger
  readonly #leaseMs: number
  readonly #maxJobs: number
  readonly #sweepMs: number
  readonly #wakeUp: WakeUp
  readonly #deadLetters: DeadLetters
  readonly #scripts = loadScripts()
  /** The name of this process in the group; a new one at each start, so that claims of a life before are not taken for ours. */
  readonly #consumer = randomUUID()
  readonly #upkeepTimer: NodeJS.Timeout
  readonly #nextSweepMs: Record<Lane, number> = { small: 0, broadcast: 0 }
  #full: { untilMs: number; answer: Promise<boolean> } | undefined

  constructor({ client, subscriber, prefix, logger, leaseMs, maxJobs, sweepMs }: Deps) {
    this.#client = client
    this.#keys = makeKeys(prefix)
    this.#logger = logger
    this.#leaseMs = leaseMs
    this.#maxJobs = maxJobs
    this.#sweepMs = sweepMs ?? leaseMs / SWEEPS_PER_LEASE
    this.#wakeUp = new WakeUp({ subscriber, channel: this.#keys.work, logger })
    this.#deadLetters = new DeadLetters({ client, keys: this.#keys, keepSeconds: KEEP_DEAD_LETTERS_SECONDS })
    this.#upkeepTimer = setInterval(() => this.#cleanUp(), UPKEEP_INTERVAL_MS).unref()
  }

  findRisks() {
    return findRisks(this.#client)
  }

  async enqueue(send: Send, page?: Page) {
    if (await this.#isFull()) return 'full'
    const batches = page?.batches ?? []
    const state = page === undefined ? 'waiting' : batches.length > 0 ? 'fanned' : 'done'
    const keys = [
      this.#keys.send(send.uid),
      this.#keys.dueSends(send.lane),
      this.#keys.scheduled,
      this.#keys.drops(send.uid),
    ]
    const reply = await this.#scripts.enqueue
      .run(
        this.#client,
        [...keys, ...this.#streamsOf(batches)],
        [
          send.uid,
          send.requestHash,
          send.lane,
          state,
          state === 'waiting' ? encodeRecipient(send.recipient) : '',
          state === 'done' ? '' : encodeContent(send.content),
          send.sendAtMs ?? '',
          send.expireAtMs ?? '',
          KEEP_ENDED_SECONDS,
          this.#keys.work,
          ...batches.flatMap(({ targetKind, count, lines }) => [targetKind, count, lines]),
        ],
      )
      .catch(refusedAs('FULL'))
    const results = { ACCEPTED: 'accepted', DUPLICATE: 'duplicate', CONFLICT: 'conflict', FULL: 'full' } as const
    return results[readWord(reply, ['ACCEPTED', 'DUPLICATE', 'CONFLICT', 'FULL'])]
  }

  async cancel(uid: string) {
    const { send, dueSends, scheduled } = this.#keys
    const keys = [send(uid), dueSends('small'), dueSends('broadcast'), scheduled]
    await this.#scripts.cancel.run(this.#client, keys, [uid, KEEP_ENDED_SECONDS, KEEP_MARK_SECONDS])
  }

  async drop(uid: string, drop: Drop) {
    const keys = [this.#keys.send(uid), this.#keys.drops(uid)]
    const reply = await this.#scripts.drop.run(this.#client, keys, [memberOf(drop), MAX_DROPS, KEEP_MARK_SECONDS])
    return readWord(reply, ['DROPPED', 'FULL']) === 'FULL' ? ('full' as const) : ('dropped' as const)
  }

  async claimSends(lane: Lane, limit: number) {
    const keys = [this.#keys.dueSends(lane), this.#keys.scheduled]
    const args = [limit, this.#leaseMs, this.#keys.sendPrefix]
    return readSendClaims(await this.#scripts.claimSends.run(this.#client, keys, args), lane)
  }

  async commitPage(claim: SendClaim, page: Page): Promise<CommitResult> {
    const { uid, lane, fence, cursor = '' } = claim
    const keys = [this.#keys.send(uid), this.#keys.dueSends(lane), this.#keys.pauses, this.#keys.drops(uid)]
    const reply = await this.#scripts.commitPage
      .run(
        this.#client,
        [...keys, ...this.#streamsOf(page.batches)],
        [
          uid,
          fence,
          cursor,
          page.cursor ?? '',
          this.#leaseMs,
          GROUP,
          WAITING_BATCHES_PER_PROVIDER,
          WAITING_BATCHES_WHILE_PAUSED,
          KEEP_ENDED_SECONDS,
          KEEP_DEAD_LETTERS_SECONDS,
          this.#keys.work,
          ...page.batches.flatMap(({ targetKind, count, lines, provider, lane }) => [
            targetKind,
            count,
            lines,
            provider,
            lane === 'broadcast' ? '1' : '0',
          ]),
        ],
      )
      .catch(refusedAs('FULL'))
    const results = { COMMITTED: 'committed', FULL: 'full', LOST: 'lost' } as const
    return results[readWord(reply, ['COMMITTED', 'FULL', 'LOST'])]
  }

  async extendWalk(claim: SendClaim) {
    return (await this.#keepWalk(claim, this.#leaseMs)) === 'LOST' ? ('lost' as const) : ('extended' as const)
  }

  async releaseSend(claim: SendClaim) {
    await this.#keepWalk(claim, 0)
  }

  async claimBatches(lane: Lane, providers: readonly ProviderName[], limit: number) {
    const { retries, retryBodies, pauses, batches, notes, sendPrefix, dropsPrefix } = this.#keys
    const keys = providers.flatMap((provider) => [batches(lane, provider), notes(lane, provider)])
    const reply = await this.#scripts.claimBatches.run(
      this.#client,
      [retries, retryBodies, pauses, ...keys],
      [
        GROUP,
        this.#consumer,
        limit,
        this.#leaseMs,
        this.#isTimeToSweep(lane) ? '1' : '0',
        sendPrefix,
        dropsPrefix,
        lane === 'small' ? '1' : '0',
        ...providers,
      ],
    )
    return readBatchClaims(reply, lane)
  }

  async loadContent(uid: string): Promise<SendContent | undefined> {
    const content = await this.#client.hgetBuffer(this.#keys.send(uid), 'content')
    return content ? decodeContent(content) : undefined
  }

  async findCancelled(uids: readonly string[]) {
    const states = await Promise.all(uids.map((uid) => this.#client.hget(this.#keys.send(uid), 'state')))
    return new Set(uids.filter((_, index) => states[index] === 'cancelled'))
  }

  async findDropped(uid: string, targets: readonly { user: string; deviceId: string }[]) {
    if (targets.length === 0) return []
    // A target is meant by its user, by its device, or by both; nothing is meant by neither.
    const members = targets.flatMap(({ user, deviceId }) => [
      memberOf({ user, deviceId: '' }),
      memberOf({ user: '', deviceId }),
      memberOf({ user, deviceId }),
    ])
    const found = await this.#client.smismember(this.#keys.drops(uid), members)
    return targets.map((_, index) => found.slice(index * 3, index * 3 + 3).includes(1))
  }

  async extend(claims: readonly BatchClaim[]) {
    return this.#extend(claims.map((claim) => ({ claim, settled: undefined })))
  }

  async checkpoint(progress: readonly Progress[]) {
    await this.#extend(progress)
  }

  async acknowledge(claim: BatchClaim, left: { retries: readonly Retry[]; givenUp: readonly GivenUp[] }) {
    const { batches, notes, send, drops, retries, retryBodies, lastRetry, deadLetters, work } = this.#keys
    const { lane, provider, uid } = claim
    const keys = [
      batches(lane, provider),
      notes(lane, provider),
      send(uid),
      drops(uid),
      retries,
      retryBodies,
      lastRetry,
    ]
    const reply = await this.#scripts.acknowledge.run(
      this.#client,
      [...keys, deadLetters],
      [
        GROUP,
        this.#consumer,
        claim.id,
        claim.fence,
        provider,
        lane,
        claim.targetKind,
        uid,
        claim.attempt,
        claim.ageMs,
        KEEP_ENDED_SECONDS,
        KEEP_DEAD_LETTERS_SECONDS,
        work,
        left.retries.length,
        ...left.retries.flatMap((retry) => [
          retry.count,
          retry.lines,
          retry.ambiguousAttempts,
          Math.ceil(retry.delayMs),
        ]),
        ...left.givenUp.flatMap(({ count, lines, reason }) => [count, lines, reason]),
      ],
    )
    return readWord(reply, ['ACKNOWLEDGED', 'LOST']) === 'LOST' ? ('lost' as const) : ('acknowledged' as const)
  }

  async release(claims: readonly BatchClaim[]) {
    await Promise.all(
      claims.map(({ lane, provider, id, fence, attempt }) =>
        this.#scripts.release.run(
          this.#client,
          [this.#keys.batches(lane, provider), this.#keys.notes(lane, provider)],
          [GROUP, this.#consumer, id, fence, attempt - 1, this.#keys.work],
        ),
      ),
    )
  }

  async pause(provider: ProviderName, reason: string, probeEveryMs: number | undefined) {
    const every = probeEveryMs === undefined ? '' : Math.ceil(probeEveryMs)
    await this.#scripts.pause.run(this.#client, [this.#keys.pauses], [provider, reason, every])
  }

  async resume(provider: ProviderName) {
    await this.#client.hdel(this.#keys.pauses, provider)
    await this.#client.publish(this.#keys.work, '')
  }

  async listDeadLetters(filter: DeadLetterFilter, limit: number, after?: string) {
    return (await this.#deadLetters.list(filter, limit, after)).map(({ lane: _, ...letter }) => letter)
  }

  retryDeadLetters(filter: DeadLetterFilter) {
    return this.#deadLetters.change(filter, async ({ id, uid, lane, provider }) => {
      const keys = [this.#keys.deadLetters, this.#keys.send(uid), this.#keys.batches(lane, provider)]
      return Number(await this.#scripts.revive.run(this.#client, keys, [id, this.#keys.work]))
    })
  }

  dropDeadLetters(filter: DeadLetterFilter) {
    return this.#deadLetters.change(filter, async ({ id, count }) =>
      (await this.#client.xdel(this.#keys.deadLetters, id)) === 1 ? count : 0,
    )
  }

  waitForWork(timeoutMs: number, signal: AbortSignal) {
    return this.#wakeUp.wait(timeoutMs, signal)
  }

  async stats(): Promise<QueueStats> {
    const pauses = readPauses(await this.#scripts.listPauses.run(this.#client, [this.#keys.pauses], []))
    return { ...(await readStats(this.#client, this.#keys, GROUP)), pauses }
  }

  async close() {
    clearInterval(this.#upkeepTimer)
    this.#wakeUp.close()
    this.#client.disconnect()
  }

  #streamsOf(batches: readonly NewBatch[]): string[] {
    return batches.map(({ lane, provider }) => this.#keys.batches(lane, provider))
  }

  async #keepWalk({ uid, lane, fence }: SendClaim, leaseMs: number) {
    const keys = [this.#keys.send(uid), this.#keys.dueSends(lane)]
    const reply = await this.#scripts.keepWalk.run(this.#client, keys, [uid, fence, leaseMs, this.#keys.work])
    return readWord(reply, ['EXTENDED', 'LOST'])
  }

  async #extend(held: readonly { claim: BatchClaim; settled: Uint8Array | undefined }[]): Promise<Set<string>> {
    const keys = held.flatMap(({ claim: { lane, provider } }) => [
      this.#keys.batches(lane, provider),
      this.#keys.notes(lane, provider),
    ])
    const args = held.flatMap(({ claim, settled }) => [claim.id, claim.fence, settled ? Buffer.from(settled) : ''])
    const lost = await this.#scripts.extend.run(this.#client, keys, [GROUP, this.#consumer, ...args])
    const places = new Set(Array.isArray(lost) ? lost.map(Number) : [])
    return new Set(held.filter((_, index) => places.has(index + 1)).map(({ claim }) => claim.id))
  }

  /** Looking through all pending entries at each claim would cost more than the claim. */
  #isTimeToSweep(lane: Lane): boolean {
    const nowMs = Date.now()
    if (nowMs < this.#nextSweepMs[lane]) return false
    this.#nextSweepMs[lane] = nowMs + this.#sweepMs
    return true
  }

  #isFull(): Promise<boolean> {
    const nowMs = Date.now()
    if (!this.#full || nowMs >= this.#full.untilMs) {
      const answer = countJobs(this.#client, this.#keys).then((jobs) => jobs >= this.#maxJobs)
      this.#full = { untilMs: nowMs + DEPTH_INTERVAL_MS, answer }
    }
    return this.#full.answer
  }

  #cleanUp(): void {
    this.#deadLetters.forgetOld().catch((error: unknown) => {
      this.#logger.warn({ err: error }, 'queue: could not be cleaned up, trying again in a minute')
    })
  }
}

function loadScripts() {
  return {
    enqueue: new Script('enqueue'),
    cancel: new Script('cancel'),
    drop: new Script('drop'),
    claimSends: new Script('claim-sends'),
    commitPage: new Script('commit-page'),
    keepWalk: new Script('keep-walk'),
    claimBatches: new Script('claim-batches'),
    extend: new Script('extend'),
    acknowledge: new Script('acknowledge'),
    release: new Script('release'),
    pause: new Script('pause'),
    listPauses: new Script('list-pauses'),
    revive: new Script('revive'),
  }
}

/** As it stands in the set of a send's drops; neither part can hold a tab. */
function memberOf({ user, deviceId }: Drop): string {
  return `${user}\t${deviceId}`
}

/** For a script that was refused because Redis is at `maxmemory`: nothing was written. */
function refusedAs(word: string): (error: unknown) => Buffer {
  return (error) => {
    if (isOutOfMemory(error)) return Buffer.from(word)
    throw error
  }
}

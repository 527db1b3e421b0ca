// The queue on Redis Streams: a stream of batches for each lane and provider, read by one consumer group. Each transition
// is one script (*.lua), whole or not at all; the owner of a pending entry and its number of deliveries are the fence.
import { randomUUID } from 'node:crypto'
import type { ProviderName } from '../../config/provider-names.ts'
import type { Logger } from '../../observability/log.ts'
import { type Repetition, startRepeating } from '../../timing/repeat.ts'
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
  type SendContent,
} from '../queue.ts'
import { decodeContent } from '../send-content.ts'
import { type Consumer, claimBatches, extendLeases, releaseBatch, settleBatch } from './batch-scripts.ts'
import { DeadLetters } from './dead-letters.ts'
import { makeKeys } from './keys.ts'
import { RecentWrites } from './recent-writes.ts'
import { findRisks } from './risks.ts'
import { type RedisClient, Script } from './script.ts'
import { cancelSend, findCancelled, findDropped, storeDrop, storeSend } from './send-scripts.ts'
import { readStats } from './stats.ts'
import { buryAbandonedBatches, cleanUp } from './upkeep-scripts.ts'
import { WakeUp } from './wake-up.ts'
import { claimDueSends, extendSendLease, storePage } from './walk-scripts.ts'

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

/** What a write that names a send and no more holds, roughly. */
const SMALL_WRITE_BYTES = 500

const PAUSE = new Script('pause')

export class RedisQueue implements Queue {
  readonly takenPages = undefined
  /** The name of this process in the group is new at each start: claims of a life before must not be taken for ours. */
  readonly #here: Consumer
  readonly #logger: Logger
  readonly #leaseMs: number
  readonly #maxJobs: number
  readonly #sweepMs: number
  readonly #wakeUp: WakeUp
  readonly #deadLetters: DeadLetters
  readonly #recentWrites: RecentWrites
  readonly #upkeep: Repetition
  readonly #nextSweepMs: Record<Lane, number> = { small: 0, broadcast: 0 }
  #full: { untilMs: number; answer: Promise<boolean> } | undefined

  constructor({ client, subscriber, prefix, logger, leaseMs, maxJobs, sweepMs }: Deps) {
    const keys = makeKeys(prefix)
    this.#here = { client, keys, consumer: randomUUID() }
    this.#logger = logger
    this.#leaseMs = leaseMs
    this.#maxJobs = maxJobs
    this.#sweepMs = sweepMs ?? leaseMs / SWEEPS_PER_LEASE
    this.#wakeUp = new WakeUp({ subscriber, keys, logger })
    this.#deadLetters = new DeadLetters(this.#here)
    this.#recentWrites = new RecentWrites({ client, logger })
    this.#upkeep = startRepeating({
      intervalMs: UPKEEP_INTERVAL_MS,
      work: async () => {
        await Promise.all([cleanUp(this.#here), buryAbandonedBatches(this.#here)])
      },
      onError: (error) => this.#logger.warn({ err: error }, 'queue: cleanup failed, retrying in a minute'),
    })
  }

  findRisks() {
    return findRisks(this.#here.client)
  }

  async enqueue(send: Send, page?: Page) {
    if (await this.#isFull()) return 'full'
    const store = () => storeSend(this.#here, send, page)
    const result = await store()
    // A duplicate too: who accepted it first may be gone, with the only memory of it.
    if (result === 'accepted' || result === 'duplicate') {
      const repeat = async () => (await store()) !== 'full'
      this.#recentWrites.remember({ bytes: estimateBytes(send, page), isCancellation: false, repeat })
    }
    return result
  }

  async cancel(uid: string) {
    const cancel = () => cancelSend(this.#here, uid)
    await cancel()
    const repeat = () => cancel().then(() => true)
    this.#recentWrites.remember({ bytes: SMALL_WRITE_BYTES, isCancellation: true, repeat })
  }

  async drop(uid: string, drop: Drop) {
    const store = () => storeDrop(this.#here, uid, drop)
    const result = await store()
    const repeat = () => store().then(() => true)
    this.#recentWrites.remember({ bytes: SMALL_WRITE_BYTES, isCancellation: true, repeat })
    return result
  }

  claimSends(lane: Lane, limit: number) {
    return claimDueSends(this.#here, lane, limit, this.#leaseMs)
  }

  commitPage(claim: SendClaim, page: Page) {
    return storePage(this.#here, claim, page, this.#leaseMs)
  }

  extendWalk(claim: SendClaim) {
    return extendSendLease(this.#here, claim, this.#leaseMs)
  }

  async releaseSend(claim: SendClaim) {
    await extendSendLease(this.#here, claim, 0)
  }

  async claimBatches(lane: Lane, providers: readonly ProviderName[], limit: number) {
    const sweeps = this.#isTimeToSweep(lane)
    const options = { lane, providers, limit, leaseMs: this.#leaseMs, sweeps }
    const { claims, empty } = await claimBatches(this.#here, options)
    for (const claim of empty) {
      const { uid, provider, count: targets } = claim
      this.#logger.error(
        { uid, provider, targets },
        'queue: the targets of a batch are gone; set maxmemory-policy noeviction',
      )
      await settleBatch(this.#here, claim, { retries: [], givenUp: [] })
    }
    return claims
  }

  async loadContent(uid: string): Promise<SendContent | undefined> {
    const { client, keys } = this.#here
    const content = await client.hgetBuffer(keys.send(uid), 'content')
    return content ? decodeContent(content) : undefined
  }

  findCancelled(uids: readonly string[]) {
    return findCancelled(this.#here, uids)
  }

  findDropped(uid: string, targets: readonly { user: string; deviceId: string }[]) {
    return findDropped(this.#here, uid, targets)
  }

  extend(claims: readonly BatchClaim[]) {
    return extendLeases(
      this.#here,
      claims.map((claim) => ({ claim })),
    )
  }

  async checkpoint(progress: readonly Progress[]) {
    await extendLeases(this.#here, progress)
  }

  acknowledge(claim: BatchClaim, left: { retries: readonly Retry[]; givenUp: readonly GivenUp[] }) {
    return settleBatch(this.#here, claim, left)
  }

  async release(claims: readonly BatchClaim[]) {
    await Promise.all(claims.map((claim) => releaseBatch(this.#here, claim)))
  }

  async pause(provider: ProviderName, reason: string, probeEveryMs: number | undefined) {
    const { client, keys } = this.#here
    const every = probeEveryMs === undefined ? '' : Math.ceil(probeEveryMs)
    await PAUSE.run(client, [keys.pauses], [provider, reason, every])
  }

  async resume(provider: ProviderName) {
    const { client, keys } = this.#here
    await client.hdel(keys.pauses, provider)
    await Promise.all(LANES.map((lane) => client.publish(keys.work(lane), '')))
  }

  async listDeadLetters(filter: DeadLetterFilter, limit: number, after?: string) {
    return (await this.#deadLetters.list(filter, limit, after)).map(({ lane: _, ...letter }) => letter)
  }

  retryDeadLetters(filter: DeadLetterFilter) {
    return this.#deadLetters.retry(filter)
  }

  dropDeadLetters(filter: DeadLetterFilter) {
    return this.#deadLetters.drop(filter)
  }

  waitForWork(lane: Lane, timeoutMs: number, signal: AbortSignal) {
    return this.#wakeUp.wait(lane, timeoutMs, signal)
  }

  stats() {
    return readStats(this.#here)
  }

  async close() {
    const upkeepStopped = this.#upkeep.stop()
    this.#recentWrites.close()
    this.#wakeUp.close()
    // Before the upkeep is awaited: its commands to an unreachable Redis fail with the connection.
    this.#here.client.disconnect()
    await upkeepStopped
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
      const answer = readStats(this.#here).then(({ jobs }) => jobs >= this.#maxJobs)
      this.#full = { untilMs: nowMs + DEPTH_INTERVAL_MS, answer }
    }
    return this.#full.answer
  }
}

function estimateBytes({ recipient, content }: Send, page: Page | undefined): number {
  const texts = [...content.notifications.values()].reduce((sum, { json }) => sum + json.length, SMALL_WRITE_BYTES)
  const values = recipient.kind === 'native' ? recipient.values.reduce((sum, value) => sum + value.length, 0) : 0
  return (page?.batches ?? []).reduce((sum, { lines }) => sum + lines.length, texts + values)
}

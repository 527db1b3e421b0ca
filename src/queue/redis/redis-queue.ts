// The queue on Redis Streams: a stream of batches for each lane and provider, read by one consumer group. Each
// transition is one script (lua/), and atomic. The owner of a pending entry and its number of deliveries are the
// fence.
import { randomUUID } from 'node:crypto'
import type { ProviderName } from '../../config/provider-names.ts'
import type { Logger } from '../../observability/log.ts'
import type { RedisClient } from '../../redis/connect.ts'
import { Script } from '../../redis/script.ts'
import { type Repetition, startRepeating } from '../../timing/repeat.ts'
import type { ClaimKey, Progress, Remainder } from '../batch.ts'
import type { DeadLetterFilter } from '../dead-letter.ts'
import { LANES, type Lane } from '../lane.ts'
import type { Queue } from '../queue.ts'
import type { Exclusion, Page, Send, SendClaim } from '../send.ts'
import {
  acknowledgeBatch,
  type Consumer,
  claimBatches,
  confirmClaims,
  releaseBatch,
  storeProgress,
} from './batch-scripts.ts'
import { DeadLetters } from './dead-letters.ts'
import { makeKeys } from './keys.ts'
import { estimateBytes, RecentWrites, SMALL_WRITE_BYTES } from './recent-writes.ts'
import { findRisks } from './risks.ts'
import { cancelSend, findExcluded, loadSend, storeExclusion, storeSend } from './send-scripts.ts'
import { readStats } from './stats.ts'
import { cleanUp, giveUpUnclaimedBatches } from './upkeep-scripts.ts'
import { WakeUp } from './wake-up.ts'
import { claimDueSends, extendSendLease, storePage } from './walk-scripts.ts'

/**
 * The shortest interval of counting jobs. The limit need not be exact, and a count for each send would be expensive.
 */
const COUNT_INTERVAL_MS = 1000
const UPKEEP_INTERVAL_MS = 60_000
/** How often, in the time of a lease, a process looks for abandoned batches by default. */
const SWEEPS_PER_LEASE = 7.5

interface Deps {
  client: RedisClient
  /** A second connection, without other uses, for announcements. The queue closes both. */
  subscriber: RedisClient
  /** The beginning of all keys. */
  prefix: string
  logger: Logger
  /** How long a claim is valid unless it is extended. */
  leaseMs: number
  /** With this many jobs, sends are refused as 'full'. */
  maxJobs: number
  /** The interval of looking for abandoned batches. */
  sweepMs?: number
}

const PAUSE = new Script(new URL('lua/pause.lua', import.meta.url))

/** The queue on Redis 7.0 or newer. */
export class RedisQueue implements Queue {
  /** The consumer has a new name at each start, so that claims of an earlier run of this process are not extended. */
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
        await Promise.all([cleanUp(this.#here), giveUpUnclaimedBatches(this.#here)])
      },
      onError: (error) => logger.warn({ err: error }, 'queue: clean-up failed, retrying in a minute'),
    })
  }

  findRisks() {
    return findRisks(this.#here.client)
  }

  async enqueue(send: Send, page?: Page) {
    if (await this.#isFull()) return 'full'
    const store = () => storeSend(this.#here, send, page)
    const result = await store()
    // A duplicate too: the process that accepted the send first may have stopped, and it alone remembers that write.
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

  async exclude(uid: string, exclusion: Exclusion) {
    const store = () => storeExclusion(this.#here, uid, exclusion)
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
    const looksForAbandoned = this.#isSweepDue(lane)
    const options = { lane, providers, limit, leaseMs: this.#leaseMs, looksForAbandoned }
    const { claims, empty } = await claimBatches(this.#here, options)
    for (const claim of empty) {
      const { uid, provider, count: targets } = claim
      this.#logger.error(
        { uid, provider, targets },
        'queue: target lines evicted, batch ended unsent; set maxmemory-policy to noeviction',
      )
      await acknowledgeBatch(this.#here, claim, { retries: [], givenUp: [] })
    }
    return claims
  }

  loadSend(uid: string) {
    return loadSend(this.#here, uid)
  }

  findExcluded(uid: string, targets: readonly { user: string; deviceId: string }[]) {
    return findExcluded(this.#here, uid, targets)
  }

  confirm(claims: readonly ClaimKey[], extendAfterMs: number) {
    return confirmClaims(this.#here, claims, extendAfterMs)
  }

  checkpoint(progress: readonly Progress[]) {
    return storeProgress(this.#here, progress)
  }

  acknowledge(claim: ClaimKey, remainder: Remainder) {
    return acknowledgeBatch(this.#here, claim, remainder)
  }

  async release(claims: readonly ClaimKey[]) {
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

  deleteDeadLetters(filter: DeadLetterFilter) {
    return this.#deadLetters.delete(filter)
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

  /** Not at each claim: reading all pending entries costs more than the claim. */
  #isSweepDue(lane: Lane): boolean {
    const nowMs = Date.now()
    if (nowMs < this.#nextSweepMs[lane]) return false
    this.#nextSweepMs[lane] = nowMs + this.#sweepMs
    return true
  }

  #isFull(): Promise<boolean> {
    const nowMs = Date.now()
    if (!this.#full || nowMs >= this.#full.untilMs) {
      const answer = readStats(this.#here).then(({ jobs }) => jobs >= this.#maxJobs)
      this.#full = { untilMs: nowMs + COUNT_INTERVAL_MS, answer }
    }
    return this.#full.answer
  }
}

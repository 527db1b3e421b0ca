// The worker: claims batches, keeps their leases while they are sent, and lets no more targets be unsettled at once than
// a kill may cost in duplicates. Small sends have slots of their own, so a broadcast never stands in their way.
import { setTimeout as delay } from 'node:timers/promises'
import type { ProviderName } from '../config/provider-names.ts'
import type { BatchClaim, Lane, Queue } from '../queue/queue.ts'
import { type DeliverDeps, deliverBatch } from './deliver-batch.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import { makeSendCache } from './send-cache.ts'

/** Targets claimed and not settled: the most that a killed worker can send twice. Together 5,000. */
const MAX_UNSETTLED: Record<Lane, number> = { small: 1000, broadcast: 4000 }
/** The most that a batch of a small send has (push/pages.ts). */
const SMALL_BATCH_TARGETS = 100
/** How late a batch whose retry has come due, or a lost wake-up, may be noticed. */
const POLL_MS = 500
const ERROR_PAUSE_MS = 1000
/** A provider that refuses our credential is tried once a minute. */
const CREDENTIAL_PAUSE_MS = 60_000

interface Deps extends Omit<DeliverDeps, 'queue' | 'loadSend' | 'onCredentialProblem'> {
  queue: Queue
  /** The most targets that a batch of any provider has. */
  maxBatchTargets: number
  /** Batches worked on at once, in each lane. */
  concurrency: number
  heartbeatMs: number
}

export class Worker {
  readonly #deps: Deps
  readonly #deliver: DeliverDeps
  readonly #leases: LeaseKeeper
  /** Stops claiming. */
  readonly #stopping = new AbortController()
  readonly #pausedUntilMs = new Map<ProviderName, number>()
  #loops: Promise<void>[] = []

  constructor(deps: Deps) {
    this.#deps = deps
    this.#deliver = {
      ...deps,
      loadSend: makeSendCache((uid) => deps.queue.loadSend(uid), deps.now),
      onCredentialProblem: (provider, reason) => this.#pause(provider, reason),
    }
    this.#leases = new LeaseKeeper(deps)
  }

  start(): void {
    this.#loops = [this.#consume('small'), this.#consume('broadcast')]
  }

  /** Claims nothing more, lets what is being sent finish within `graceMs`, gives the rest back to the queue. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort()
    const grace = setTimeout(() => this.#leases.abortAll(), graceMs)
    await Promise.all(this.#loops)
    clearTimeout(grace)
    await this.#leases.close()
  }

  async #consume(lane: Lane): Promise<void> {
    const { queue, logger } = this.#deps
    const { signal } = this.#stopping
    const working = new Map<Promise<void>, number>()
    while (!signal.aborted) {
      const room = this.#room(lane, working)
      try {
        const claims = room > 0 ? await queue.claimBatches(lane, this.#activeProviders(), room) : []
        for (const claim of claims) {
          const work = this.#work(claim).finally(() => working.delete(work))
          working.set(work, claim.targets.length)
        }
        if (claims.length > 0) continue
        const freed = room > 0 ? [] : working.keys()
        await Promise.race([...freed, queue.waitForWork(POLL_MS, signal)])
      } catch (error) {
        logger.error({ err: error, lane }, 'delivery: batches could not be claimed, trying again')
        // The only rejection is the abort, which ends the loop.
        await delay(ERROR_PAUSE_MS, undefined, { signal }).catch(() => undefined)
      }
    }
    await Promise.all(working.keys())
  }

  /** Batches that may be claimed, each taken for as large as it can be. */
  #room(lane: Lane, working: ReadonlyMap<Promise<void>, number>): number {
    const unsettled = [...working.values()].reduce((sum, targets) => sum + targets, 0)
    const batchTargets = lane === 'small' ? SMALL_BATCH_TARGETS : this.#deps.maxBatchTargets
    const byTargets = Math.floor((MAX_UNSETTLED[lane] - unsettled) / batchTargets)
    // One is always allowed: a batch may be configured larger than all that may be unsettled.
    return Math.min(this.#deps.concurrency - working.size, Math.max(byTargets, working.size === 0 ? 1 : 0))
  }

  async #work(claim: BatchClaim): Promise<void> {
    const signal = this.#leases.hold(claim)
    try {
      await deliverBatch(this.#deliver, claim, signal)
    } catch (error) {
      const { uid, provider } = claim
      this.#deps.logger.error(
        { err: error, uid, provider },
        'delivery: batch not acknowledged, sent again after its lease',
      )
    } finally {
      this.#leases.drop(claim)
    }
  }

  #activeProviders(): ProviderName[] {
    const nowMs = this.#deps.now()
    return [...this.#deps.providers.keys()].filter((provider) => nowMs >= (this.#pausedUntilMs.get(provider) ?? 0))
  }

  #pause(provider: ProviderName, reason: string): void {
    this.#pausedUntilMs.set(provider, this.#deps.now() + CREDENTIAL_PAUSE_MS * this.#deps.retryPolicy.scale)
    this.#deps.logger.error(
      { provider, reason },
      'delivery: credential refused, provider paused for a minute, work kept',
    )
  }
}

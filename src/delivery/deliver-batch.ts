// One batch from claim to acknowledgement: load its send, hand it to its provider, tell devices and queue what came of it.
import type { ProviderName } from '../config/provider-names.ts'
import type { Logger } from '../observability/log.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { Outcome, Provider } from '../providers/provider.ts'
import type { BatchClaim, Queue, Send } from '../queue/queue.ts'
import type { RetryPolicyOptions } from './retry-policy.ts'
import { type GoneToken, SettledBatch } from './settled-batch.ts'

export interface DeliverDeps {
  queue: Pick<Queue, 'acknowledge'>
  /** The send of a batch; undefined when it ended meanwhile. */
  loadSend(uid: string): Promise<Send | undefined>
  providers: ReadonlyMap<ProviderName, Provider>
  /** Removes devices whose token is dead, unless registered again after `seenAtMs`. Resolves to how many. */
  removeGone(provider: ProviderName, gone: readonly GoneToken[], seenAtMs: number): Promise<number>
  /** Told that a provider refuses our credential. */
  onCredentialProblem(provider: ProviderName, reason: string): void
  retryPolicy: RetryPolicyOptions
  metrics: Metrics
  logger: Logger
  /** Unix time in ms. */
  now(): number
}

/** Sends a batch and acknowledges it. Rejects when the queue can't be told: then the lease ends and it is sent again. */
export async function deliverBatch(deps: DeliverDeps, claim: BatchClaim, signal: AbortSignal): Promise<void> {
  const labels = { provider: claim.provider, recipient_type: claim.targetKind }
  const endTimer = deps.metrics.jobDuration.startTimer(labels)
  const send = claim.sendState === 'live' ? await deps.loadSend(claim.uid) : undefined
  const notification = send?.notifications.get(claim.provider)
  const provider = deps.providers.get(claim.provider)
  if (!notification || !provider) {
    deps.logger.info({ uid: claim.uid, targets: claim.targets.length, why: claim.sendState }, 'delivery: batch dropped')
    await deps.queue.acknowledge(claim, [])
    return
  }
  const seenAtMs = deps.now()
  const settled = new SettledBatch({ claim, policy: deps.retryPolicy })
  const { uid, targetKind } = claim
  const targets = claim.targets.map((target) => target.value)
  await provider
    .send({ uid, notification, targetKind, targets }, (index, outcome) => settled.settle(index, outcome), signal)
    .catch((error: unknown) => {
      deps.logger.error({ err: error, uid, provider: provider.name }, 'delivery: send failed')
      // An error of ours costs no push. What an aborted send leaves open stays so, and goes back at once.
      settled.settleRest({ kind: 'retry', reason: 'error' })
    })
  await acknowledge(deps, claim, settled, seenAtMs)
  endTimer()
}

async function acknowledge(deps: DeliverDeps, claim: BatchClaim, settled: SettledBatch, seenAtMs: number) {
  await removeGoneDevices(deps, claim, settled, seenAtMs)
  const { retries, givenUp } = settled.retries()
  const result = await deps.queue.acknowledge(claim, retries)
  if (result === 'lost') {
    deps.logger.warn({ uid: claim.uid, provider: claim.provider }, 'delivery: lease lost, the batch may be sent twice')
    return
  }
  const problem = settled.credentialProblem()
  if (problem !== undefined) deps.onCredentialProblem(claim.provider, problem)
  count(deps, claim, settled)
  if (givenUp > 0) {
    deps.logger.warn({ uid: claim.uid, provider: claim.provider, targets: givenUp }, 'delivery: targets given up')
  }
}

/** A removal that fails is no reason to send the batch again: the next push finds the token dead once more. */
async function removeGoneDevices(deps: DeliverDeps, claim: BatchClaim, settled: SettledBatch, seenAtMs: number) {
  const gone = settled.goneTokens()
  if (gone.length === 0) return
  try {
    const removed = await deps.removeGone(claim.provider, gone, seenAtMs)
    deps.metrics.removedDevices.inc({ provider: claim.provider }, removed)
    deps.logger.info(
      { uid: claim.uid, provider: claim.provider, removed },
      'delivery: devices with dead tokens removed',
    )
  } catch (error) {
    deps.logger.error({ err: error, uid: claim.uid, provider: claim.provider }, 'delivery: dead tokens not removed')
  }
}

/** Final outcomes only: what is retried counts when it ends. */
const FINAL: ReadonlySet<Outcome['kind']> = new Set(['sent', 'tokenGone', 'rejected'])

function count({ metrics, logger }: DeliverDeps, claim: BatchClaim, settled: SettledBatch): void {
  const counts = settled.counts()
  for (const { outcome, reason, count } of counts) {
    if (!FINAL.has(outcome)) continue
    const success = String(outcome === 'sent')
    const labels = {
      provider: claim.provider,
      recipient_type: claim.targetKind,
      platform: '',
      success,
      err_code: reason,
    }
    metrics.notifications.inc(labels, count)
  }
  logger.debug({ uid: claim.uid, provider: claim.provider, attempt: claim.attempt, counts }, 'delivery: batch settled')
}

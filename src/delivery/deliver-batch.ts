// One batch from claim to acknowledgement: load what its send says, hand it to its provider, tell devices and queue what
// came of it.
import type { ProviderName } from '../config/provider-names.ts'
import type { RateLimiter } from '../limits/rate-limiter.ts'
import type { Logger } from '../observability/log.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { Batch, Outcome, Provider, Settle } from '../providers/provider.ts'
import type { BatchClaim, Queue, SendContent } from '../queue/queue.ts'
import { decodeTarget, readValue } from '../queue/targets.ts'
import { pause } from '../timing/pause.ts'
import { admitTargets } from './admit-targets.ts'
import type { Hold } from './lease-keeper.ts'
import { sendOneByOne } from './one-by-one.ts'
import { findDroppedTargets, findOpenTargets } from './open-targets.ts'
import { personaliseBatch } from './personal-batch.ts'
import type { RemovalBreaker } from './removal-breaker.ts'
import type { RetryPolicyOptions } from './retry-policy.ts'
import { type GoneToken, type Left, type OpenTarget, SettledBatch } from './settled-batch.ts'

/** A provider that refuses our credential is tried once a minute. */
const CREDENTIAL_PROBE_MS = 60_000
/** Pauses between attempts to acknowledge while the queue is away. */
const ACKNOWLEDGE_FIRST_MS = 50
const ACKNOWLEDGE_MAX_MS = 1000

export interface DeliverDeps {
  queue: Pick<Queue, 'acknowledge' | 'findDropped' | 'pause' | 'resume'>
  /** What the send of a batch says; undefined when it ended meanwhile. */
  loadContent(uid: string): Promise<SendContent | undefined>
  providers: ReadonlyMap<ProviderName, Provider>
  /** Removes devices whose token is dead, unless registered again after `seenAtMs`. Resolves to how many. */
  removeGone(provider: ProviderName, gone: readonly GoneToken[], seenAtMs: number): Promise<number>
  /** Undefined: whatever share of the devices is called dead is removed. */
  removalBreaker: RemovalBreaker | undefined
  /** Undefined where no send has a rate limit. */
  rateLimiter?: RateLimiter | undefined
  retryPolicy: RetryPolicyOptions
  metrics: Metrics
  logger: Logger
  /** Unix time in ms. */
  now(): number
}

/** Sends a batch and acknowledges it. Rejects when the queue can't be told: then the lease ends and it is sent again. */
export async function deliverBatch(deps: DeliverDeps, claim: BatchClaim, hold: Hold): Promise<void> {
  const endTimer = deps.metrics.jobDuration.startTimer({
    provider: claim.provider,
    recipient_type: claim.targetKind,
  })
  const content = claim.sendState === 'live' ? (claim.content ?? (await deps.loadContent(claim.uid))) : undefined
  if (!content) return leaveUnsent(deps, claim, hold.signal)
  const seenAtMs = deps.now()
  const open = await findOpenTargets(deps.queue, claim)
  if (!claim.settled) countUnsent(deps, claim, 'cancelled', claim.count - open.length)
  const { admitted: targets, held, dropped } = await admitTargets(deps, claim, content, open)
  const settled = new SettledBatch({ claim, targets, held, policy: deps.retryPolicy })
  if (content.isReliable) hold.noteProgress(() => settled.settledBits())
  const withdrawn = watchDrops(deps, claim, targets, settled, hold)
  await send(deps, claim, content, targets, settled, { signal: hold.signal, withdrawn })
  await removeGoneDevices(deps, claim, settled, seenAtMs)
  await tellCredential(deps, claim, settled)
  const left = settled.left()
  if ((await acknowledge(deps, claim, left, hold.signal)) === 'acknowledged') {
    count(deps, claim, settled, left)
    for (const [reason, targets] of dropped) countUnsent(deps, claim, reason, targets)
  }
  endTimer()
}

/** The batch of a send that was cancelled, has expired, or ended otherwise. */
async function leaveUnsent(deps: DeliverDeps, claim: BatchClaim, signal: AbortSignal): Promise<void> {
  const reason = claim.sendState === 'expired' ? 'expired' : 'cancelled'
  const result = await acknowledge(deps, claim, { retries: [], givenUp: [], expired: 0 }, signal)
  if (result === 'acknowledged') countUnsent(deps, claim, reason, claim.count)
}

async function send(
  deps: DeliverDeps,
  claim: BatchClaim,
  content: SendContent,
  targets: readonly OpenTarget[],
  settled: SettledBatch,
  { signal, withdrawn }: { signal: AbortSignal; withdrawn: ReadonlySet<OpenTarget> },
): Promise<void> {
  const { uid, provider: name, targetKind } = claim
  const notification = content.notifications.get(name)
  const provider = deps.providers.get(name)
  const settle: Settle = (index, outcome) => settled.settle(index, outcome)
  try {
    if (!notification || !provider) throw new Error('a batch was claimed that nobody here can send')
    if (targets.length === 0) return
    const personal = personaliseBatch(content, name, targets)
    const isWithdrawn = (index: number) => {
      const target = targets[index]
      return withdrawn.size > 0 && target !== undefined && withdrawn.has(target)
    }
    const batch = { uid, notification, targetKind, personal, isWithdrawn, ...addressesOf(claim, targets) }
    if (personal && !provider.takesPersonal) await sendOneByOne(provider, batch, personal, settle, signal)
    else await provider.send(batch, settle, signal)
  } catch (error) {
    deps.logger.error({ err: error, uid, provider: name }, 'delivery: send failed')
    // An error of ours costs no push. What an aborted send leaves open stays so, and goes back at once.
    settled.settleRest({ kind: 'retry', reason: 'error' })
  }
}

/** Targets that are cancelled while the batch is sent; what of them is left goes back, and is left out by the next claim. */
function watchDrops(
  deps: DeliverDeps,
  claim: BatchClaim,
  targets: readonly OpenTarget[],
  settled: SettledBatch,
  hold: Hold,
): ReadonlySet<OpenTarget> {
  const withdrawn = new Set<OpenTarget>()
  hold.onDrops(async () => {
    const waiting = targets.filter((target, index) => !settled.isSettled(index) && !withdrawn.has(target))
    for (const target of await findDroppedTargets(deps.queue, claim.uid, waiting)) withdrawn.add(target)
  })
  return withdrawn
}

/** Where to send to. Only Web Push has to know more of a target than its value. */
function addressesOf({ provider }: BatchClaim, targets: readonly OpenTarget[]): Pick<Batch, 'targets' | 'keys'> {
  const values = targets.map(({ line }) => readValue(line))
  if (provider !== 'webpush') return { targets: values }
  return { targets: values, keys: targets.map(({ line }) => decodeTarget(line).keys) }
}

/** Keeps trying while the queue is away: sending the batch again would cost a duplicate for each of its targets. */
async function acknowledge(
  deps: DeliverDeps,
  claim: BatchClaim,
  { retries, givenUp }: Left,
  signal: AbortSignal,
): Promise<'acknowledged' | 'lost'> {
  const { uid, provider } = claim
  for (let pauseMs = ACKNOWLEDGE_FIRST_MS; ; pauseMs = Math.min(pauseMs * 2, ACKNOWLEDGE_MAX_MS)) {
    try {
      const result = await deps.queue.acknowledge(claim, { retries, givenUp })
      // After a failed attempt this is most likely our own success, whose answer did not arrive.
      if (result === 'lost') deps.logger.warn({ uid, provider }, 'delivery: lease lost, the batch may be sent twice')
      return result
    } catch (error) {
      if (signal.aborted) throw error
      deps.logger.warn({ err: error, uid, provider }, 'delivery: batch not acknowledged, trying again')
      await pause(pauseMs, signal)
    }
  }
}

/** A removal that fails is no reason to send the batch again: the next push finds the token dead once more. */
async function removeGoneDevices(deps: DeliverDeps, claim: BatchClaim, settled: SettledBatch, seenAtMs: number) {
  const { uid, provider } = claim
  const gone = settled.goneTokens()
  const isAllowed = deps.removalBreaker?.allows(provider, settled.judgements()) ?? true
  if (gone.length === 0 || !isAllowed) return
  try {
    const removed = await deps.removeGone(provider, gone, seenAtMs)
    deps.metrics.removedDevices.inc({ provider }, removed)
    deps.logger.info({ uid, provider, removed }, 'delivery: devices with dead tokens removed')
  } catch (error) {
    deps.logger.error({ err: error, uid, provider }, 'delivery: dead tokens not removed')
  }
}

/** A refused credential pauses the provider for all workers, before the batch goes back; a good one ends the pause. */
async function tellCredential(deps: DeliverDeps, { provider, isProbe }: BatchClaim, settled: SettledBatch) {
  const reason = settled.credentialProblem()
  try {
    if (reason !== undefined) {
      await deps.queue.pause(provider, reason, CREDENTIAL_PROBE_MS * deps.retryPolicy.scale)
      deps.logger.error({ provider, reason }, 'delivery: credential refused; provider paused, tried once a minute')
    } else if (isProbe && settled.isCredentialGood()) {
      await deps.queue.resume(provider)
      deps.logger.info({ provider }, 'delivery: credential taken again, provider resumed')
    }
  } catch (error) {
    deps.logger.error({ err: error, provider }, 'delivery: the queue was not told about a credential')
  }
}

/** Final outcomes only: what is retried counts when it ends. */
const FINAL: ReadonlySet<Outcome['kind']> = new Set(['sent', 'tokenGone', 'rejected'])

function count(deps: DeliverDeps, claim: BatchClaim, settled: SettledBatch, left: Left): void {
  const { uid, provider, targetKind, attempt } = claim
  const counts = settled.counts()
  for (const { outcome, reason, count } of counts) {
    if (!FINAL.has(outcome)) continue
    const success = String(outcome === 'sent')
    const labels = { provider, recipient_type: targetKind, platform: '', success, err_code: reason }
    deps.metrics.notifications.inc(labels, count)
  }
  const givenUp = left.givenUp.reduce((sum, { count }) => sum + count, 0)
  countUnsent(deps, claim, 'given_up', givenUp)
  countUnsent(deps, claim, 'expired', left.expired)
  if (givenUp > 0) deps.logger.warn({ uid, provider, targets: givenUp }, 'delivery: targets given up')
  deps.logger.debug({ uid, provider, attempt, counts }, 'delivery: batch settled')
}

function countUnsent({ metrics }: DeliverDeps, { provider }: BatchClaim, reason: string, targets: number): void {
  if (targets > 0) metrics.unsent.inc({ provider, reason }, targets)
}

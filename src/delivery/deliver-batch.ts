// One batch from its claim to its acknowledgement:
//
//   exclude cancelled targets ──▶ apply the limits ──▶ send ──▶ report the state of the credential
//     ──▶ record the outcomes ──▶ acknowledge ──▶ remove devices with dead tokens
import type { AttemptRecorder, EventRecorder } from '../analytics/analytics.ts'
import type { ProviderName } from '../config/provider-names.ts'
import type { RateLimiter } from '../limits/rate-limiter.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { CredentialState } from '../observability/provider-health.ts'
import { CREDENTIAL_UNUSABLE } from '../providers/provider.ts'
import type { Remainder } from '../queue/batch.ts'
import type { Queue } from '../queue/queue.ts'
import type { StoredSend } from '../queue/send.ts'
import { DEFAULT_ACK_RULE } from '../sends/ack-rule.ts'
import type { SendContent } from '../sends/send-content.ts'
import { readField } from '../sends/target-line.ts'
import { pause } from '../timing/pause.ts'
import { admitAll, admitTargets, hasLimits } from './admit-targets.ts'
import { type AttemptEnd, countRetrying, listChanges, recordEnd, recordEnded } from './attempt-end.ts'
import { BatchOutcomes } from './batch-outcomes.ts'
import { countOutcomes } from './count-outcomes.ts'
import type { EndedTargets } from './ended-targets.ts'
import { decodeFinishedNote, encodeFinishedNote, groupOf, linesOf, listFinished } from './finished-note.ts'
import type { GoneToken } from './gone-tokens.ts'
import type { Hold } from './hold.ts'
import { ExcludedTargets, listUnfinished, type OpenBatch, type OpenTarget } from './open-batch.ts'
import type { RemovalBreaker } from './removal-breaker.ts'
import type { RetryPolicyOptions } from './retry-policy.ts'
import { type SendDeps, sendTargets } from './send-targets.ts'
import { makeRestRetry } from './stored-retry.ts'

/** The time between probes of a provider that refuses the credential, in ms. */
const CREDENTIAL_PROBE_MS = 60_000
/** Pauses between attempts to acknowledge while the queue is unreachable, in ms. */
const ACKNOWLEDGE_FIRST_MS = 50
const ACKNOWLEDGE_MAX_MS = 1000

/** The parts of a delivery. */
export interface DeliverDeps extends SendDeps {
  queue: Pick<Queue, 'acknowledge' | 'findExcluded' | 'pause' | 'resume'>
  /** Loads a send, most of the time from a cache; undefined if it has ended. */
  loadSend(uid: string): Promise<StoredSend | undefined>
  /** Removes devices with dead tokens that were not registered again after `seenAtMs`. Resolves to their number. */
  removeGone(provider: ProviderName, gone: readonly GoneToken[], seenAtMs: number): Promise<number>
  /** Takes the state that a batch gives the credential of its provider. */
  onCredential?(provider: ProviderName, state: CredentialState): void
  /** Undefined: devices are removed at any share of dead tokens. */
  removalBreaker: RemovalBreaker | undefined
  /** Undefined if no send has a rate limit. */
  rateLimiter?: RateLimiter | undefined
  /** Records the events and attempts of each target; undefined if analytics has no store. */
  recorder?: (EventRecorder & AttemptRecorder) | undefined
  retryPolicy: RetryPolicyOptions
  metrics: Metrics
  /** Unix time in ms. */
  now(): number
}

/** Sends a batch and acknowledges it. Rejects when the queue stays unreachable: then the batch is abandoned. */
export async function deliverBatch(deps: DeliverDeps, claimed: OpenBatch, hold: Hold): Promise<void> {
  const { provider, targetKind, sendState } = claimed
  const beganAtMs = performance.now()
  const content = sendState === 'live' ? (claimed.content ?? (await deps.loadSend(claimed.uid))?.content) : undefined
  if (!content) return endUnsent(deps, claimed, hold)
  // A send of an earlier version has this uid in its content only.
  const { analyticsUid } = content
  const batch = claimed.analyticsUid === analyticsUid ? claimed : { ...claimed, analyticsUid }
  const seenAtMs = deps.now()
  const listed = listUnfinished(batch)
  let listUnsettled = () => listed
  // Cancelled targets that a look of the lease keeper finds later are skipped by the provider, as long as they are
  // unsent. Their retry is excluded.
  const { ackRule: rule = DEFAULT_ACK_RULE } = content
  const excluded = new ExcludedTargets({ queue: deps.queue, uid: batch.uid, rule, list: () => listUnsettled() })
  hold.readExclusions = () => excluded.read()
  if (batch.hasExclusions || hold.hasExclusions) await excluded.read()
  const isUnneeded = (target: OpenTarget) => excluded.has(target) || isExcepted(content, target)
  const unneeded = excluded.isEmpty && !content.exceptUsers ? [] : listed.filter(isUnneeded)
  const unsent = [groupOf('dropped', 'excluded', unneeded)]
  const open = unneeded.length > 0 ? listed.filter((target) => !isUnneeded(target)) : listed
  const {
    admitted: targets,
    delayed,
    dropped,
  } = hasLimits(content) ? await admitTargets(deps, batch, content, open) : admitAll(open)
  for (const [reason, targets] of dropped) unsent.push(groupOf('dropped', reason, targets))
  const upForMs = () => deps.providers.get(batch.provider)?.availability?.upForMs ?? Number.POSITIVE_INFINITY
  const keepsMessageIds = deps.recorder !== undefined
  const policy = deps.retryPolicy
  const outcomes = new BatchOutcomes({ batch, targets, delayed, policy, keepsMessageIds, upForMs })
  listUnsettled = () => targets.filter((_, index) => !outcomes.isSettled(index))
  const earlier = decodeFinishedNote(batch.finishedNote)
  const ended = unsent.map((group): EndedTargets => ({ ...group, message: '', lines: linesOf(batch, group) }))
  const answered: EndedTargets[] = []
  const unrecorded = [...ended]
  const takeUnrecorded = () => {
    const fresh = outcomes.takeEnded()
    answered.push(...fresh)
    return [...unrecorded.splice(0), ...fresh]
  }
  if (content.isReliable) {
    hold.readProgress = async () => {
      const progress = {
        finished: outcomes.finishedBits(),
        note: encodeFinishedNote([...earlier, ...unsent, ...outcomes.refused()]),
      }
      if (deps.recorder) await recordEnded(deps.recorder, batch, takeUnrecorded())
      return progress
    }
  }
  await sendTargets(deps, batch, content, { targets, outcomes, excluded, hold })
  const problem = outcomes.credentialProblem()
  reportCredential(deps, batch, problem, outcomes)
  if (problem !== undefined || batch.isProbe) await storeCredential(deps, batch, problem, outcomes)
  const { retries, givenUp, postponed, ...unfinished } = outcomes.unfinished()
  const fresh = takeUnrecorded()
  const end: AttemptEnd = {
    answered: [...listFinished(batch), ...answered],
    unsent: [...ended, ...unfinished.ended],
    unrecorded: [...fresh, ...unfinished.ended],
    postponed,
    retrying: countRetrying(retries),
    rejections: outcomes.rejections(),
  }
  await endAttempt(deps, batch, { retries, givenUp }, end, hold)
  // A range that is sent again after a kill has the devices of that moment: the report would not count removed ones.
  const gone = findGoneDevices(deps, batch, outcomes)
  if (gone.length > 0) await removeGoneDevices(deps, batch, gone, seenAtMs)
  const seconds = (performance.now() - beganAtMs) / 1000
  deps.metrics.jobDuration.observe({ provider, recipient_type: targetKind }, seconds)
}

/** Whether the target is of a user who gets no push of the send, such as its author. */
function isExcepted({ exceptUsers = [] }: SendContent, { line }: OpenTarget): boolean {
  return exceptUsers.length > 0 && exceptUsers.includes(readField(line, 'user'))
}

/** Acknowledges a batch unsent: its send was cancelled, has expired, or has ended. */
async function endUnsent(deps: DeliverDeps, batch: OpenBatch, hold: Hold): Promise<void> {
  const outcome = batch.sendState === 'expired' ? 'expired' : 'cancelled'
  const retries = batch.rest ? [makeRestRetry(batch.rest)] : []
  const lines = listUnfinished(batch).map(({ line }) => line)
  const unsent = [{ outcome, reason: '', message: '', lines }] as const
  const end = { answered: listFinished(batch), unsent, unrecorded: unsent, postponed: [], retrying: 0, rejections: [] }
  await endAttempt(deps, batch, { retries, givenUp: [] }, end, hold)
}

/**
 * Acknowledges a batch. The outcomes of its targets are counted in the same step, and recorded before it: if this
 * process is killed in between, another one sends and records the batch again, and no outcome is missing.
 */
async function endAttempt(
  deps: DeliverDeps,
  batch: OpenBatch,
  remainder: Remainder,
  end: AttemptEnd,
  hold: Hold,
): Promise<void> {
  if (deps.recorder) await recordEnd(deps.recorder, batch, end)
  const counts = listChanges(batch, end)
  if ((await acknowledge(deps, batch, { ...remainder, counts }, hold)) === 'lost') return
  countOutcomes(deps, batch, end)
}

/** Retries while the queue is unreachable: an abandoned batch would be sent again to all of its targets. */
async function acknowledge(
  deps: DeliverDeps,
  batch: OpenBatch,
  remainder: Remainder,
  hold: Hold,
): Promise<'acknowledged' | 'lost'> {
  const { uid, provider } = batch
  let hasFailed = false
  for (let pauseMs = ACKNOWLEDGE_FIRST_MS; ; pauseMs = Math.min(pauseMs * 2, ACKNOWLEDGE_MAX_MS)) {
    try {
      const result = await deps.queue.acknowledge(batch, remainder)
      if (result === 'acknowledged') return result
      deps.logger.warn({ uid, provider }, 'delivery: lease lost, the batch may be sent twice')
      // After a failed attempt this is most likely our own acknowledgement: it was executed and its answer lost.
      return hasFailed ? 'acknowledged' : 'lost'
    } catch (error) {
      if (hold.isStopped) throw error
      hasFailed = true
      deps.logger.warn({ err: error, uid, provider }, 'delivery: batch not acknowledged, retrying')
      await pause(pauseMs, hold.signal)
    }
  }
}

/** The devices to remove; none while the provider calls too many tokens dead. */
function findGoneDevices(deps: DeliverDeps, { provider }: OpenBatch, outcomes: BatchOutcomes): GoneToken[] {
  const isAllowed = deps.removalBreaker?.allows(provider, outcomes.judgements()) ?? true
  return isAllowed ? outcomes.goneTokens() : []
}

/** A failed removal does not fail the batch: the next push finds the same tokens dead. */
async function removeGoneDevices(deps: DeliverDeps, batch: OpenBatch, gone: readonly GoneToken[], seenAtMs: number) {
  const { uid, provider } = batch
  try {
    const removed = await deps.removeGone(provider, gone, seenAtMs)
    deps.metrics.removedDevices.inc({ provider }, removed)
    deps.logger.info({ uid, provider, removed }, 'delivery: devices with dead tokens removed')
  } catch (error) {
    deps.logger.error({ err: error, uid, provider }, 'delivery: devices with dead tokens not removed')
  }
}

/** @param problem the reason for which the provider refused the credential */
function reportCredential(
  { onCredential }: DeliverDeps,
  { provider }: OpenBatch,
  problem: string | undefined,
  outcomes: BatchOutcomes,
): void {
  if (problem !== undefined) onCredential?.(provider, problem === CREDENTIAL_UNUSABLE ? 'unusable' : 'refused')
  else if (outcomes.isCredentialGood()) onCredential?.(provider, 'accepted')
}

/**
 * Pauses the provider for all workers if it refused the credential, and resumes it if it accepted that of a probe. This
 * precedes the acknowledgement, so that retries are not claimed before the pause.
 */
async function storeCredential(
  deps: DeliverDeps,
  { provider, isProbe }: OpenBatch,
  problem: string | undefined,
  outcomes: BatchOutcomes,
) {
  try {
    if (problem !== undefined) {
      await deps.queue.pause(provider, problem, CREDENTIAL_PROBE_MS * deps.retryPolicy.scale)
      const event = problem === CREDENTIAL_UNUSABLE ? 'can not be used here' : 'refused'
      const what = `delivery: credential ${event}, provider paused, probed once a minute`
      deps.logger.error({ provider, reason: problem }, what)
    } else if (isProbe && outcomes.isCredentialGood()) {
      await deps.queue.resume(provider)
      deps.logger.info({ provider }, 'delivery: credential accepted, provider resumed')
    }
  } catch (error) {
    deps.logger.error({ err: error, provider }, 'delivery: state of the credential not stored')
  }
}

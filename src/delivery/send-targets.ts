import type { ProviderName } from '../config/provider-names.ts'
import type { Logger } from '../observability/log.ts'
import type { Batch, Provider, Settle } from '../providers/provider.ts'
import type { SendContent } from '../sends/send-content.ts'
import { decodeTarget, readValue } from '../sends/target-line.ts'
import type { BatchOutcomes } from './batch-outcomes.ts'
import type { Hold } from './hold.ts'
import { sendOneByOne } from './one-by-one.ts'
import type { ExcludedTargets, OpenBatch, OpenTarget } from './open-batch.ts'
import { personaliseBatch } from './personal-notifications.ts'

/** The targets of one attempt. */
export interface Attempt {
  targets: readonly OpenTarget[]
  outcomes: BatchOutcomes
  /** Finds targets that were cancelled since the claim: the provider skips them. More may be found during the attempt. */
  excluded: Pick<ExcludedTargets, 'has'>
  hold: Hold
}

/** The parts of sending. */
export interface SendDeps {
  providers: ReadonlyMap<ProviderName, Provider>
  /** Targets handed to a provider in one call, at most. */
  batchSizes: ReadonlyMap<ProviderName, number>
  logger: Logger
}

/** Hands the targets to their provider in calls of the configured size, and records the outcomes. Never rejects. */
export async function sendTargets(
  deps: SendDeps,
  batch: OpenBatch,
  content: SendContent,
  attempt: Attempt,
): Promise<void> {
  const { uid, provider } = batch
  const { targets, outcomes } = attempt
  const size = deps.batchSizes.get(provider) ?? targets.length
  if (targets.length === 0) return
  const calls: Promise<void>[] = []
  let isOver = false
  const settle: Settle = (index, outcome) => {
    if (!isOver) outcomes.settle(index, outcome)
  }
  for (let from = 0; from < targets.length; from += size) {
    const part = { ...attempt, targets: targets.slice(from, from + size) }
    calls.push(sendPart(deps, batch, content, part, (index, outcome) => settle(from + index, outcome)))
  }
  // All calls end before the batch does, unless it is stopped: a later outcome could not be counted.
  const results = await Promise.race([Promise.allSettled(calls), attempt.hold.stopped()])
  isOver = true
  const failed = results?.find((call) => call.status === 'rejected')
  if (!failed) return
  deps.logger.error({ err: failed.reason, uid, provider }, 'delivery: send failed')
  // An error of this server must not lose a push, so targets without an outcome are retried.
  outcomes.settleRest({ kind: 'retry', reason: 'error' })
}

async function sendPart(
  { providers }: SendDeps,
  { uid, provider: name, targetKind }: OpenBatch,
  content: SendContent,
  { targets, excluded, hold }: Omit<Attempt, 'outcomes'>,
  settle: Settle,
): Promise<void> {
  const notification = content.notifications.get(name)
  const provider = providers.get(name)
  if (!notification || !provider) throw new Error(`a batch for ${name} was claimed, which is not enabled here`)
  const personal = personaliseBatch(content, name, targets)
  const isWithdrawn = (index: number) => {
    if (hold.isStopped) return true
    const target = targets[index]
    return target !== undefined && excluded.has(target)
  }
  const addresses = addressesOf(name, targets)
  const part: Batch = { uid, notification, targetKind, personal, isWithdrawn, confirmation: hold, ...addresses }
  if (personal && !provider.takesPersonal) await sendOneByOne(provider, part, personal, settle, hold.signal)
  else await provider.send(part, settle, hold.signal)
}

/** The addresses of targets. Web Push needs keys beside the value. */
function addressesOf(provider: string, targets: readonly OpenTarget[]): Pick<Batch, 'targets' | 'keys'> {
  const values = targets.map(({ line }) => readValue(line))
  if (provider !== 'webpush') return { targets: values }
  return { targets: values, keys: targets.map(({ line }) => decodeTarget(line).keys) }
}

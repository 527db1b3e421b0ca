import type { Logger } from '../observability/log.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { Outcome } from '../providers/provider.ts'
import type { BatchOutcomes, Unfinished } from './batch-outcomes.ts'
import type { OpenBatch } from './open-batch.ts'

interface Deps {
  metrics: Metrics
  logger: Logger
}

/** Final outcomes only: a retry counts when it ends. */
const FINAL: ReadonlySet<Outcome['kind']> = new Set(['sent', 'tokenGone', 'rejected'])

/** Counts the targets that an acknowledged batch ended. */
export function countOutcomes(deps: Deps, batch: OpenBatch, outcomes: BatchOutcomes, unfinished: Unfinished): void {
  const { uid, provider, targetKind, attempt } = batch
  const counts = outcomes.counts()
  for (const { outcome, reason, count } of counts) {
    if (!FINAL.has(outcome)) continue
    const success = String(outcome === 'sent')
    const labels = { provider, recipient_type: targetKind, platform: '', success, err_code: reason }
    deps.metrics.notifications.inc(labels, count)
  }
  const rejections = outcomes.rejections()
  if (rejections.length > 0) deps.logger.warn({ uid, provider, rejections }, 'delivery: targets rejected')
  const givenUp = unfinished.givenUp.reduce((sum, { count }) => sum + count, 0)
  countUnsent(deps, batch, 'given_up', givenUp)
  countUnsent(deps, batch, 'expired', unfinished.expired)
  if (givenUp > 0) deps.logger.warn({ uid, provider, targets: givenUp }, 'delivery: targets given up')
  deps.logger.debug({ uid, provider, attempt, counts }, 'delivery: batch acknowledged')
}

/** Counts targets that ended without being sent. */
export function countUnsent(
  { metrics }: Pick<Deps, 'metrics'>,
  { provider }: OpenBatch,
  reason: string,
  targets: number,
): void {
  if (targets > 0) metrics.unsent.inc({ provider, reason }, targets)
}

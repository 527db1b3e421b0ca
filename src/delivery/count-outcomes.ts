import type { Logger } from '../observability/log.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { AttemptEnd } from './attempt-end.ts'
import type { OpenBatch } from './open-batch.ts'

interface Deps {
  metrics: Metrics
  logger: Logger
}

/** Counts the targets that an acknowledged attempt ended in the metrics. A retry counts when it ends. */
export function countOutcomes({ metrics, logger }: Deps, batch: OpenBatch, end: AttemptEnd): void {
  const { uid, provider, targetKind, attempt } = batch
  for (const { outcome, reason, lines } of end.answered) {
    const success = String(outcome === 'sent')
    const labels = { provider, recipient_type: targetKind, platform: '', success, err_code: reason }
    metrics.notifications.inc(labels, lines.length)
  }
  let givenUp = 0
  for (const { outcome, reason, lines } of end.unsent) {
    if (outcome === 'failed') givenUp += lines.length
    const cause = outcome === 'failed' ? 'given_up' : outcome === 'dropped' && reason !== 'excluded' ? reason : outcome
    metrics.unsent.inc({ provider, reason: cause === 'dropped' ? 'cancelled' : cause }, lines.length)
  }
  for (const { provider, reason, lines } of batch.skipped) metrics.skipped.inc({ provider, reason }, lines.length)
  if (givenUp > 0) logger.warn({ uid, provider, targets: givenUp }, 'delivery: targets given up')
  const counts = [...end.answered, ...end.unsent].map(({ outcome, reason, lines }) => [outcome, reason, lines.length])
  logger.debug({ uid, provider, attempt, counts, retrying: end.retrying }, 'delivery: batch acknowledged')
}

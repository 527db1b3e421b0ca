import type { Logger } from '../observability/log.ts'
import type { Metrics } from '../observability/metrics.ts'
import { countPlatforms } from '../sends/target-line.ts'
import type { AttemptEnd } from './attempt-end.ts'
import type { EndedTargets } from './ended-targets.ts'
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
    for (const [platform, count] of countPlatforms(lines)) {
      const labels = { provider, recipient_type: targetKind, platform, success, err_code: reason }
      metrics.notifications.inc(labels, count)
    }
  }
  let givenUp = 0
  for (const group of end.unsent) {
    const targets = group.lines.length
    if (group.outcome === 'failed') givenUp += targets
    if (targets > 0) metrics.unsent.inc({ provider, reason: nameUnsent(group) }, targets)
  }
  for (const { provider, reason, lines } of batch.skipped) metrics.skipped.inc({ provider, reason }, lines.length)
  const { rejections } = end
  if (rejections.length > 0) logger.warn({ uid, provider, rejections }, 'delivery: targets rejected')
  if (givenUp > 0) logger.warn({ uid, provider, targets: givenUp }, 'delivery: targets given up')
  const counts = [...end.answered, ...end.unsent].map(({ outcome, reason, lines }) => [outcome, reason, lines.length])
  logger.debug({ uid, provider, attempt, counts, retrying: end.retrying }, 'delivery: batch acknowledged')
}

/** The reason of unsent targets in the metrics. */
function nameUnsent({ outcome, reason }: EndedTargets): string {
  if (outcome === 'failed') return 'given_up'
  if (outcome !== 'dropped') return outcome
  return reason === 'excluded' ? 'cancelled' : reason
}

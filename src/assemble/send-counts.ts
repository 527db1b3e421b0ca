import type { ProviderName } from '../config/provider-names.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { TargetKind } from '../sends/recipient.ts'
import type { SkipReason } from '../sends/skip-reason.ts'

/** Counts accepted sends for metrics. */
export interface SendCounts {
  /** Called for each accepted send that has a `send_at`. */
  onScheduled(recipientType: TargetKind): void
  /** Called for devices that are not sent to. */
  onSkipped(provider: ProviderName, count: number, reason: SkipReason): void
}

/** Counts in the metrics of this process. */
export function countInMetrics({ scheduled, skipped, unsent }: Metrics): SendCounts {
  return {
    onScheduled: (recipient_type) => scheduled.inc({ recipient_type }),
    onSkipped: (provider, count, reason) => {
      // As delivery counts them.
      if (reason === 'excluded') unsent.inc({ provider, reason: 'cancelled' }, count)
      else skipped.inc({ provider, reason }, count)
    },
  }
}

import { StatusCounter } from '../push/status-counter.ts'
import type { Queue } from '../queue/queue.ts'
import type { OnStop } from '../shutdown-phases.ts'
import type { Plan } from './plan.ts'
import type { RunningAnalytics } from './running-analytics.ts'

/** Makes apps' reports count in the reports of their sends too. */
export function countReports(
  analytics: RunningAnalytics | undefined,
  { logger }: Pick<Plan, 'logger'>,
  { queue }: { queue: Pick<Queue, 'countStatuses'> },
  onStop: OnStop,
): RunningAnalytics | undefined {
  if (!analytics) return undefined
  const counter = new StatusCounter({ queue, logger })
  onStop.close('counts of reports', () => counter.stop())
  return {
    ...analytics,
    reports: {
      async recordStatus(report) {
        await analytics.reports.recordStatus(report)
        counter.add(report)
      },
    },
  }
}

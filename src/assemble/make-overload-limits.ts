import type { Logger } from '../observability/log.ts'
import type { Metrics } from '../observability/metrics.ts'
import { onceAMinute } from '../observability/once-a-minute.ts'
import { OverloadLimits } from '../server/overload-limit.ts'

/** Makes the overload limits of the API. Refused calls are counted in the metrics, and logged once a minute. */
export function makeOverloadLimits({ refusedCalls }: Metrics, logger: Logger): OverloadLimits {
  const warn = onceAMinute((method: string) => {
    logger.warn({ method }, 'api: overload, calls are refused; see the metric centripush_api_refused_count')
  })
  return new OverloadLimits((method) => {
    refusedCalls.inc({ method })
    warn(method)
  })
}

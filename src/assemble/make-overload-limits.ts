import type { MethodTable } from '../methods/table.ts'
import type { Logger } from '../observability/log.ts'
import type { Metrics } from '../observability/metrics.ts'
import { onceAMinute } from '../observability/once-a-minute.ts'
import { OverloadLimits } from '../server/overload-limit.ts'

/** Makes the overload limits of the API. Refused calls are counted in the metrics, and logged once a minute. */
export function makeOverloadLimits({ refusedCalls }: Metrics, { byName }: MethodTable, logger: Logger): OverloadLimits {
  // Prometheus sees no increase in the first value of a series, so each begins with 0.
  for (const { kind, name } of byName.values()) if (kind === 'push') refusedCalls.inc({ method: name }, 0)
  const warn = onceAMinute((method: string) => {
    logger.warn({ method }, 'api: overload, calls are refused; see the metric centripush_api_refused_count')
  })
  return new OverloadLimits((method) => {
    refusedCalls.inc({ method })
    warn(method)
  })
}

// Reads the field `limit_strategy` of a request.
import { parseRateLimit } from '../limits/policy.ts'
import { parseTimeWindow, TimeWindowError } from '../personalise/time-window.ts'
import { ApiError } from '../protocol/errors.ts'
import type { SendPushNotificationRequest } from '../protocol/requests/push.ts'
import type { SendContent } from '../sends/send-content.ts'
import type { TimeLimit } from '../sends/time-limit.ts'

type Wire = NonNullable<SendPushNotificationRequest['limit_strategy']>

/** Reads the time limit and the rate limit of a request. @throws ApiError badRequest that names the field */
export function readLimits(wire: Wire | undefined): Pick<SendContent, 'timeLimit' | 'rateLimit'> {
  return {
    timeLimit: wire?.time_limit && readTimeLimit(wire.time_limit),
    rateLimit: wire?.rate_limit && parseRateLimit(wire.rate_limit),
  }
}

function readTimeLimit(wire: NonNullable<Wire['time_limit']>): TimeLimit {
  try {
    return { ...parseTimeWindow(wire), sendsWithoutZone: wire.no_tz_send_now }
  } catch (error) {
    if (!(error instanceof TimeWindowError)) throw error
    throw new ApiError('badRequest', `limit_strategy.time_limit.${error.message}`)
  }
}

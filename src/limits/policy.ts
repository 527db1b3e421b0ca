// Reads the field `limit_strategy.rate_limit` of a request.
import { ApiError } from '../protocol/errors.ts'
import type { SendPushNotificationRequest } from '../protocol/requests/push.ts'
import type { RateLimit } from '../sends/rate-limit.ts'
import { parseKeyTemplate } from './key-template.ts'

type WireRateLimit = NonNullable<NonNullable<SendPushNotificationRequest['limit_strategy']>['rate_limit']>

/** The highest `rate` of a policy. A store keeps that many grants for a key, so this limits a key to about 20 KB. */
const MAX_RATE = 1000
/** The longest interval of a policy: the largest int32, nearly 25 days. */
const MAX_INTERVAL_MS = 2 ** 31 - 1
/** The most policies of a request. All are checked for each push, and no sensible limit needs more. */
const MAX_POLICIES = 10
const FIELD = 'limit_strategy.rate_limit'

/**
 * Reads the rate limit of a request; undefined if it has no policies.
 * @throws ApiError badRequest that names the field
 */
export function parseRateLimit(wire: WireRateLimit): RateLimit | undefined {
  const key = parseKeyTemplate(`${FIELD}.key`, wire.key)
  if (wire.policies.length > MAX_POLICIES) {
    throw new ApiError('badRequest', `${FIELD}.policies: more than ${MAX_POLICIES}`)
  }
  const policies = wire.policies.map(({ rate, interval_ms: intervalMs }, index) => {
    const field = `${FIELD}.policies[${index}]`
    checkRange(`${field}.rate`, rate, MAX_RATE)
    checkRange(`${field}.interval_ms`, intervalMs, MAX_INTERVAL_MS)
    return { rate, intervalMs }
  })
  return policies.length === 0 ? undefined : { key, policies, isDropped: wire.drop_if_rate_limited }
}

function checkRange(field: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new ApiError('badRequest', `${field}: must be from 1 to ${max}`)
  }
}

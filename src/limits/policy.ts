// What a request says about rate limits: limit_strategy.rate_limit.
import { ApiError } from '../protocol/errors.ts'
import type { SendPushNotificationRequest } from '../protocol/requests/push.ts'
import type { RateLimit } from '../sends/rate-limit.ts'
import { parseKeyTemplate } from './key-template.ts'

type WireRateLimit = NonNullable<NonNullable<SendPushNotificationRequest['limit_strategy']>['rate_limit']>

/** A key remembers as many times as the highest rate: this bounds its memory to some 20 KB. */
const MAX_RATE = 1000
/** Just below 25 days, the most that the wire's 32 bits hold. */
const MAX_INTERVAL_MS = 2 ** 31 - 1
/** Each is looked at for each push; more than a handful can't be told apart by anybody. */
const MAX_POLICIES = 10
const FIELD = 'limit_strategy.rate_limit'

/** A request's rate limit; undefined where it has no policies, and so limits nothing. @throws ApiError badRequest */
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

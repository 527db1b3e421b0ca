import { isProviderName, type ProviderName } from '../config/provider-names.ts'
import type { EndpointCheck } from '../devices/web-push-endpoint.ts'
import { parseWebPushSubscription } from '../devices/web-push-subscription.ts'
import { ApiError } from '../protocol/errors.ts'
import type { PushRecipient, DeviceFilter as WireFilter } from '../protocol/requests/push.ts'
import type { Lane } from '../queue/lane.ts'
import { canonicalizeDeviceToken } from '../rules/apns/device-token.ts'
import { findConditionProblem, findTopicProblem, nameOfTopic } from '../rules/fcm/targets.ts'
import type { DeviceFilter, Recipient, TargetKind } from '../sends/recipient.ts'
import { joinSubscription } from '../sends/target-line.ts'

/** The most raw tokens of one request. */
const MAX_TOKENS = 100_000
/** The most raw tokens, device ids or users of a small send. Small sends never wait behind a broadcast. */
export const SMALL_SEND = 100
/** The most bytes of a token, topic or condition. Web Push subscriptions are the longest known values. */
const MAX_TARGET_BYTES = 4096

/** Reads the recipient of a request. Exactly one of its fields must be set. @throws ApiError badRequest */
export function readRecipient(wire: PushRecipient, checkEndpoint: EndpointCheck): Recipient {
  const given = [...nativeRecipients(wire), ...filterRecipient(wire.filter)]
  const [recipient] = given
  if (!recipient || given.length > 1) {
    throw new ApiError('badRequest', `recipient: exactly one field must be set, found ${given.length}`)
  }
  if (recipient.kind === 'native' && recipient.provider === 'webpush')
    return readSubscriptions(recipient, checkEndpoint)
  checkValues(recipient)
  return recipient.kind === 'native' ? { ...recipient, values: readAddresses(recipient) } : recipient
}

/** Reads the values of a recipient as its provider spells them. @throws ApiError for values that it would refuse */
function readAddresses({ provider, targetKind, values }: Extract<Recipient, { kind: 'native' }>): readonly string[] {
  if (provider === 'apns') return values.map(readDeviceToken)
  if (provider !== 'fcm' || targetKind === 'token') return values
  const read = targetKind === 'topic' ? values.map(nameOfTopic) : values
  for (const value of read) {
    const problem = targetKind === 'topic' ? findTopicProblem(value) : findConditionProblem(value)
    if (problem !== undefined) throw new ApiError('badRequest', `recipient.fcm_${targetKind}: ${problem}`)
  }
  return read
}

function readDeviceToken(text: string): string {
  const token = canonicalizeDeviceToken(text)
  if (token === undefined) throw new ApiError('badRequest', 'recipient.apns_tokens: holds no device token of APNs')
  return token
}

/** Checks Web Push subscriptions that are given as raw tokens, as those of devices are checked at registration. */
function readSubscriptions(recipient: Extract<Recipient, { kind: 'native' }>, checkEndpoint: EndpointCheck): Recipient {
  checkCount(recipient)
  const values = recipient.values.map((text) => {
    const { endpoint, keys } = parseWebPushSubscription('recipient.webpush_tokens', text, checkEndpoint)
    return joinSubscription(endpoint, keys)
  })
  return { ...recipient, values }
}

/**
 * The lane of a send to this recipient. If a page of it has many targets, the page is stored in the lane of broadcasts
 * nevertheless.
 */
export function laneOf(recipient: Recipient): Lane {
  if (recipient.kind === 'native') return recipient.values.length <= SMALL_SEND ? 'small' : 'broadcast'
  const { ids, users } = recipient.filter
  const isSmall = [ids, users].some((values) => values.length > 0 && values.length <= SMALL_SEND)
  return isSmall ? 'small' : 'broadcast'
}

function nativeRecipients(wire: PushRecipient): Recipient[] {
  const fields: [ProviderName, TargetKind, string[]][] = [
    ['fcm', 'token', wire.fcm_tokens],
    ['fcm', 'topic', single(wire.fcm_topic)],
    ['fcm', 'condition', single(wire.fcm_condition)],
    ['hms', 'token', wire.hms_tokens],
    ['hms', 'topic', single(wire.hms_topic)],
    ['hms', 'condition', single(wire.hms_condition)],
    ['apns', 'token', wire.apns_tokens],
    ['webpush', 'token', wire.webpush_tokens],
  ]
  return fields
    .filter(([, , values]) => values.length > 0)
    .map(([provider, targetKind, values]) => ({ kind: 'native', provider, targetKind, values }))
}

function single(value: string): string[] {
  return value === '' ? [] : [value]
}

function filterRecipient(wire: WireFilter | undefined): Recipient[] {
  if (!wire) return []
  const { ids, users, topics, providers, platforms } = wire
  const filter: DeviceFilter = { ids, users, topics, providers, platforms }
  return [{ kind: 'filter', filter }]
}

function checkValues(recipient: Recipient): void {
  if (recipient.kind === 'native') {
    const field = checkCount(recipient)
    for (const value of recipient.values) checkText(field, value)
    return
  }
  const { filter } = recipient
  if (Object.values(filter).every((values) => values.length === 0)) {
    throw new ApiError('badRequest', 'recipient.filter: is empty; to reach everyone, name all providers')
  }
  for (const [name, values] of Object.entries(filter)) {
    for (const value of values) checkText(`recipient.filter.${name}`, value, name === 'users')
  }
  if (!filter.providers.every(isProviderName)) throw new ApiError('badRequest', 'recipient.filter.providers: unknown')
}

/** Checks the number of values of a recipient. @returns the name of the field, for errors */
function checkCount({ provider, targetKind, values }: Extract<Recipient, { kind: 'native' }>): string {
  const field = `recipient.${provider}_${targetKind}`
  if (values.length > MAX_TOKENS) throw new ApiError('badRequest', `${field}: more than ${MAX_TOKENS}`)
  return field
}

/**
 * Checks a value for control characters, which would break target lines and PostgreSQL's text. No real value contains
 * them.
 */
function checkText(field: string, value: string, mayBeEmpty = false): void {
  if (value === '' && !mayBeEmpty) throw new ApiError('badRequest', `${field}: holds an empty value`)
  if (Buffer.byteLength(value) > MAX_TARGET_BYTES) throw new ApiError('badRequest', `${field}: holds a too long value`)
  if (/\p{Cc}/u.test(value)) throw new ApiError('badRequest', `${field}: holds a control character`)
}

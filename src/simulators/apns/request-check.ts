// The checks that APNs makes of a request, as far as a sender can violate them
// (https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns). The rules of
// headers and payload are in src/rules/apns.
import type { IncomingHttpHeaders } from 'node:http2'
import { findApnsHeadersProblem, isPriorityWrong } from '../../rules/apns/headers.ts'
import { maxPayloadBytes } from '../../rules/apns/payload.ts'
import { topicOf } from '../../rules/apns/push-type.ts'
import type { Reason } from './apns-answer.ts'

/** The `apns-` headers of a request, unchanged. */
export type ApnsHeaders = Readonly<Record<string, string>>

/** Selects the `apns-` headers. */
export function pickApnsHeaders(headers: IncomingHttpHeaders): ApnsHeaders {
  const picked: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith('apns-')) picked[name] = String(value)
  }
  return picked
}

/** Why APNs refuses the headers or the payload of a request; undefined if it accepts them. */
export function refuseRequest(headers: ApnsHeaders, body: Buffer, bundleId: string): Reason | undefined {
  return refuseHeaders(headers) ?? refuseTopic(headers, bundleId) ?? refusePayload(headers, body)
}

function refuseHeaders(headers: ApnsHeaders): Reason | undefined {
  // Node joins the values of a duplicate header with a comma and a space.
  if (Object.values(headers).some((value) => value.includes(', '))) return 'DuplicateHeaders'
  const refused = findApnsHeadersProblem(new Map(Object.entries(headers)))
  if (refused) return refused.reason
  return isPriorityWrong(headers['apns-push-type'] ?? '', headers['apns-priority']) ? 'BadPriority' : undefined
}

function refuseTopic({ 'apns-topic': topic, 'apns-push-type': pushType }: ApnsHeaders, bundleId: string) {
  if (topic === undefined) return 'MissingTopic'
  if (pushType === undefined) return 'InvalidPushType'
  if (topic !== bundleId && !topic.startsWith(`${bundleId}.`)) return 'TopicDisallowed'
  return topic === topicOf(bundleId, pushType) ? undefined : 'BadTopic'
}

function refusePayload(headers: ApnsHeaders, body: Buffer): Reason | undefined {
  if (body.length === 0) return 'PayloadEmpty'
  if (body.length > maxPayloadBytes(headers['apns-push-type'] ?? '')) return 'PayloadTooLarge'
  return isJsonObject(body) ? undefined : 'PayloadEmpty'
}

function isJsonObject(body: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(body.toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

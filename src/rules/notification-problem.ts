import type { ProviderName } from '../config/provider-names.ts'
import type { Notification } from '../sends/notification.ts'
import type { TargetKind } from '../sends/recipient.ts'
import { findApnsHeaderProblem, isAllowedApnsHeader, isPriorityWrong, readApnsHeaders } from './apns/headers.ts'
import { pushTypeOfHeaders, pushTypeOfPayload } from './apns/push-type.ts'
import { findMessageProblem } from './fcm/check-message.ts'
import { findHmsMessageProblem } from './hms/message.ts'
import { findMaxBytes, measureNotification } from './notification-size.ts'
import { type IsOpen, NOTHING_OPEN, type Problem, within } from './problem.ts'
import { findWebPushHeaderProblem, WEB_PUSH_HEADER_PROBLEMS } from './webpush/headers.ts'
import { findDeclarativeProblem } from './webpush/payload.ts'

/** The circumstances of a notification. */
export interface Circumstances {
  /** Set for templates: their texts and their size are known only when they are rendered for a target. */
  isOpen?: IsOpen | undefined
  /** The kind of the targets, if it is known. */
  targetKind?: TargetKind | undefined
}

/**
 * Why a provider would refuse a notification for every target; undefined if no problem is known. The field of the
 * problem begins with `message`, `payload` or `headers`.
 */
export function findNotificationProblem(
  provider: ProviderName,
  notification: Notification,
  { isOpen, targetKind }: Circumstances,
): Problem | undefined {
  const problem = findContentProblem(provider, notification, isOpen ?? NOTHING_OPEN)
  return problem ?? (isOpen ? undefined : findSizeProblem(provider, notification, targetKind))
}

function findContentProblem(provider: ProviderName, { json, headers }: Notification, isOpen: IsOpen) {
  switch (provider) {
    case 'fcm':
      return inside('message', findMessageProblem(json, isOpen))
    case 'hms':
      return inside('message', findHmsMessageProblem(json, isOpen))
    case 'apns':
      return inside('headers', findApnsProblem(json, headers, isOpen))
    case 'webpush':
      return inside('headers', findWebPushProblem(headers, isOpen)) ?? inside('payload', findDeclarativeProblem(json))
  }
}

function inside(name: string, problem: Problem | undefined): Problem | undefined {
  return problem && within(name, problem)
}

function findApnsProblem(json: Buffer, headers: ReadonlyMap<string, string>, isOpen: IsOpen): Problem | undefined {
  for (const name of headers.keys()) {
    if (!isAllowedApnsHeader(name)) return { field: name, why: 'is no header of APNs that a caller may set' }
  }
  const given = readApnsHeaders(headers)
  for (const [name, value] of given) {
    const problem = isOpen(value) ? undefined : findApnsHeaderProblem(name, value)
    if (problem) return { field: name, why: problem.why }
  }
  const priority = given.get('apns-priority')
  if (priority !== '10' || !isPriorityWrong(findPushType(json, given), priority)) return undefined
  return { field: 'apns-priority', why: 'must be 5 or 1 for a background push' }
}

function findPushType(json: Buffer, headers: ReadonlyMap<string, string>): string {
  const pushType = pushTypeOfHeaders(headers)
  if (pushType !== undefined) return pushType
  // Few payloads have this member, without which none is a background push, so the others are not parsed.
  return json.includes('content-available') ? pushTypeOfPayload(json) : 'alert'
}

function findWebPushProblem(headers: ReadonlyMap<string, string>, isOpen: IsOpen): Problem | undefined {
  for (const [name, given] of headers) {
    const value = given.trim()
    const problem = isOpen(value) ? undefined : findWebPushHeaderProblem(name.toLowerCase(), value)
    if (problem) return { field: name, why: WEB_PUSH_HEADER_PROBLEMS[problem] }
  }
  return undefined
}

function findSizeProblem(provider: ProviderName, notification: Notification, targetKind: TargetKind | undefined) {
  const maxBytes = findMaxBytes(provider, notification, targetKind)
  if (notification.json.length <= maxBytes) return undefined
  const bytes = measureNotification(provider, notification)
  if (bytes <= maxBytes) return undefined
  const field = provider === 'fcm' || provider === 'hms' ? 'message' : 'payload'
  return { field, why: `has ${bytes} bytes, and ${provider} accepts ${maxBytes}` }
}

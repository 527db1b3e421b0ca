// From a notification to what its requests share: the caller's headers as they are, and those that it left out.
import type { HeaderFields } from '../../http2/http2-client.ts'
import type { Notification } from '../provider.ts'
import { makeCollapseId } from './notification-id.ts'
import { pushTypeOfPayload, pushTypeOfTopic, topicOf } from './push-type.ts'

/** "4 KB (4096 bytes)". */
export const MAX_PAYLOAD_BYTES = 4096
/** "5 KB (5120 bytes)". */
export const MAX_VOIP_PAYLOAD_BYTES = 5120

/** All others are ours to say: who we are, and what HTTP/2 is told (RFC 9113 section 8.2.2). */
const CALLERS_OWN = /^(?:apns-[a-z-]+|content-type)$/i

/** What is wrong with a header of the caller's, which APNs would take for us. */
export function checkHeader(name: string): string | undefined {
  return CALLERS_OWN.test(name) ? undefined : 'APNs has no such header that a caller may set'
}

/** What an app shows, or works on unseen. Other kinds are updates that must not replace each other. */
const COLLAPSED_PUSH_TYPES = new Set(['alert', 'background'])

/** Header fields for all requests of a send, without those about the credential; or why nothing can be sent. */
export type RequestPlan = { headers: HeaderFields; hasId: boolean } | { problem: string }

/** Plans the requests of a send. Nothing is derived that the caller gave. */
export function planRequests(uid: string, { json, headers }: Notification, bundleId: string): RequestPlan {
  // In APNs' own word, which is what each of the requests would get. What is far too large is not even read.
  if (json.length > MAX_VOIP_PAYLOAD_BYTES) return { problem: 'PayloadTooLarge' }
  const given = readGiven(headers)
  for (const name of given.keys()) if (checkHeader(name) !== undefined) return { problem: 'header_not_allowed' }
  const pushType = given.get('apns-push-type') ?? derivePushType(json, given)
  const maxBytes = pushType === 'voip' ? MAX_VOIP_PAYLOAD_BYTES : MAX_PAYLOAD_BYTES
  if (json.length > maxBytes) return { problem: 'PayloadTooLarge' }
  const derived = new Map([
    ['content-type', 'application/json'],
    ['apns-topic', topicOf(bundleId, pushType)],
    ['apns-push-type', pushType],
  ])
  // APNs takes 10 where none is given, and that is an error for background pushes.
  if (pushType === 'background') derived.set('apns-priority', '5')
  if (COLLAPSED_PUSH_TYPES.has(pushType)) derived.set('apns-collapse-id', makeCollapseId(uid))
  return { headers: Object.fromEntries([...derived, ...given]), hasId: given.has('apns-id') }
}

/** By their names in lower case, as HTTP/2 has them. An empty value is none given. */
function readGiven(headers: ReadonlyMap<string, string>): Map<string, string> {
  const filled = [...headers].filter(([, value]) => value.trim() !== '')
  return new Map(filled.map(([name, value]) => [name.toLowerCase(), value.trim()]))
}

function derivePushType(json: Buffer, given: ReadonlyMap<string, string>): string {
  return pushTypeOfTopic(given.get('apns-topic') ?? '') ?? pushTypeOfPayload(json)
}

// The push types of APNs (`apns-push-type`), each with the suffix of `apns-topic` that belongs to it. From
// https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns.
import * as v from 'valibot'

/** The suffix of `apns-topic` for each push type, after the bundle id of the app. */
const TOPIC_SUFFIXES = new Map([
  ['alert', ''],
  ['background', ''],
  ['mdm', ''],
  ['voip', '.voip'],
  ['complication', '.complication'],
  ['fileprovider', '.pushkit.fileprovider'],
  ['location', '.location-query'],
  ['pushtotalk', '.voip-ptt'],
  ['liveactivity', '.push-type.liveactivity'],
  ['widgets', '.push-type.widgets'],
  ['controls', '.push-type.controls'],
])

const PayloadSchema = v.object({
  aps: v.optional(v.record(v.string(), v.unknown()), {}),
  mdm: v.optional(v.unknown()),
})

/** All push types. */
export const PUSH_TYPES: readonly string[] = [...TOPIC_SUFFIXES.keys()]

/** The `apns-topic` for a push type: the bundle id of the app and the suffix of the type. */
export function topicOf(bundleId: string, pushType: string): string {
  return bundleId + (TOPIC_SUFFIXES.get(pushType) ?? '')
}

/** The push type to which the suffix of a topic belongs; undefined if the topic has no such suffix. */
export function pushTypeOfTopic(topic: string): string | undefined {
  for (const [pushType, suffix] of TOPIC_SUFFIXES) if (suffix !== '' && topic.endsWith(suffix)) return pushType
  return undefined
}

/** The push type that headers (with names in lower case) name; undefined if they leave it to the payload. */
export function pushTypeOfHeaders(headers: ReadonlyMap<string, string>): string | undefined {
  return headers.get('apns-push-type') ?? pushTypeOfTopic(headers.get('apns-topic') ?? '')
}

/**
 * The push type of a payload (the bytes of a JSON object): found by its members, `alert` if they show no other type.
 */
export function pushTypeOfPayload(payload: Buffer): string {
  const parsed = v.safeParse(PayloadSchema, JSON.parse(payload.toString()))
  if (!parsed.success) return 'alert'
  const { aps, mdm } = parsed.output
  if (mdm !== undefined) return 'mdm'
  // No push type except `liveactivity` has these members.
  if (aps.event !== undefined && (aps['content-state'] !== undefined || aps.timestamp !== undefined)) {
    return 'liveactivity'
  }
  if (aps['content-changed'] !== undefined) return 'widgets'
  const isSeenOrHeard = aps.alert !== undefined || aps.badge !== undefined || aps.sound !== undefined
  return aps['content-available'] === 1 && !isSeenOrHeard ? 'background' : 'alert'
}

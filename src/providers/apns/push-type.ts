// What kind of push a notification is: `apns-push-type`, and with it the suffix of `apns-topic`. From
// https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns.
import * as v from 'valibot'

/** The suffix of the topic by push type; `alert`, `background` and `mdm` have none. */
const TOPIC_SUFFIXES = new Map([
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

/** The topic for a push type: the app's bundle id with what Apple asks to be appended. */
export function topicOf(bundleId: string, pushType: string): string {
  return bundleId + (TOPIC_SUFFIXES.get(pushType) ?? '')
}

/** What a topic that the caller chose says about the push type; undefined where it is an app's plain one. */
export function pushTypeOfTopic(topic: string): string | undefined {
  for (const [pushType, suffix] of TOPIC_SUFFIXES) if (topic.endsWith(suffix)) return pushType
  return undefined
}

/** The push type that a payload, the bytes of a JSON object, is for; `alert` where nothing speaks for another one. */
export function pushTypeOfPayload(payload: Buffer): string {
  const parsed = v.safeParse(PayloadSchema, JSON.parse(payload.toString()))
  if (!parsed.success) return 'alert'
  const { aps, mdm } = parsed.output
  if (mdm !== undefined) return 'mdm'
  // A live activity's update has both, a widget's push the third, and neither goes with anything else.
  if (aps.event !== undefined && (aps['content-state'] !== undefined || aps.timestamp !== undefined)) {
    return 'liveactivity'
  }
  if (aps['content-changed'] !== undefined) return 'widgets'
  const isSeenOrHeard = aps.alert !== undefined || aps.badge !== undefined || aps.sound !== undefined
  return aps['content-available'] === 1 && !isSeenOrHeard ? 'background' : 'alert'
}

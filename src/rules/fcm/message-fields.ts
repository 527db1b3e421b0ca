// The fields of an FCM message, from Google's discovery document
// (https://fcm.googleapis.com/$discovery/rest?version=v1) and
// https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages.
import {
  boolean,
  type Check,
  enumOf,
  float,
  formOf,
  int32,
  listOf,
  messageOf,
  string,
  stringMap,
  stringOf,
  struct,
} from './field-checks.ts'

/** The longest time to live, four weeks: "between 0 and 2,419,200" seconds (ErrorCode, INVALID_ARGUMENT). */
const MAX_TTL_SECONDS = 2_419_200

/** A duration: "a string … ends in the suffix s", with up to nine digits behind the dot. */
const DURATION = /^\d{1,12}(?:\.\d{1,9})?s$/
const duration = formOf('must be a duration such as "3.5s"', (text) => DURATION.test(text))
const ttl = formOf(
  `must be a duration in seconds such as "3600s", of at most ${MAX_TTL_SECONDS}s`,
  (text) => DURATION.test(text) && Number.parseFloat(text) <= MAX_TTL_SECONDS,
)

/** A point in time as RFC 3339 writes it. */
const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/
const time = formOf('must be a time such as "2026-10-02T15:01:23Z"', (text) => {
  return TIME.test(text) && !Number.isNaN(Date.parse(text))
})

/** "The notification's icon color, expressed in #rrggbb format." */
const rgb = stringOf('must be a color such as "#rrggbb"', (text) => /^#[0-9a-f]{6}$/i.test(text))

/** "For all URL values, HTTPS is required." */
const httpsUrl = stringOf('must be a URL that starts with https://', (text) => /^https:\/\/./i.test(text))

/** The format of labels in https://firebase.google.com/docs/cloud-messaging/understand-delivery. */
const label = stringOf('must be 1 to 50 letters, digits or -_.~%', (text) => /^[a-zA-Z0-9-_.~%]{1,50}$/.test(text))

/**
 * Whether FCM refuses a key of `data`: "a reserved word (from, message_type, or any word starting with google. or
 * gcm.notification.)", and `gcm` by the page ErrorCode.
 */
function isReservedKey(key: string): boolean {
  return /^(?:from|message_type|gcm)$|^(?:google|gcm\.notification)\./.test(key)
}

const data = stringMap(isReservedKey)
const headers = stringMap()
const options = messageOf({ analytics_label: label })

const lightSettings = messageOf({
  color: messageOf({ red: float, green: float, blue: float, alpha: float }),
  light_on_duration: duration,
  light_off_duration: duration,
})

const androidNotification = messageOf({
  title: string,
  body: string,
  icon: string,
  color: rgb,
  sound: string,
  tag: string,
  click_action: string,
  body_loc_key: string,
  body_loc_args: listOf(string),
  title_loc_key: string,
  title_loc_args: listOf(string),
  channel_id: string,
  ticker: string,
  sticky: boolean,
  event_time: time,
  local_only: boolean,
  notification_priority: enumOf(
    'PRIORITY_UNSPECIFIED',
    'PRIORITY_MIN',
    'PRIORITY_LOW',
    'PRIORITY_DEFAULT',
    'PRIORITY_HIGH',
    'PRIORITY_MAX',
  ),
  default_sound: boolean,
  default_vibrate_timings: boolean,
  default_light_settings: boolean,
  vibrate_timings: listOf(duration),
  visibility: enumOf('VISIBILITY_UNSPECIFIED', 'PRIVATE', 'PUBLIC', 'SECRET'),
  notification_count: int32,
  light_settings: lightSettings,
  image: string,
  bypass_proxy_notification: boolean,
  proxy: enumOf('PROXY_UNSPECIFIED', 'ALLOW', 'DENY', 'IF_PRIORITY_LOWERED'),
})

/** A caller's target is replaced by that of the push, so it may be of any kind. */
const replaced: Check = () => undefined

/** The check of a message. Its target is not checked. */
export const MESSAGE: Check = messageOf({
  name: string,
  fid: replaced,
  token: replaced,
  topic: replaced,
  condition: replaced,
  data,
  notification: messageOf({ title: string, body: string, image: string }),
  android: messageOf({
    collapse_key: string,
    priority: enumOf('NORMAL', 'HIGH'),
    ttl,
    restricted_package_name: string,
    data,
    notification: androidNotification,
    fcm_options: options,
    direct_boot_ok: boolean,
    bandwidth_constrained_ok: boolean,
    restricted_satellite_ok: boolean,
  }),
  webpush: messageOf({
    headers,
    data,
    notification: struct,
    fcm_options: messageOf({ link: httpsUrl, analytics_label: label }),
  }),
  apns: messageOf({
    headers,
    payload: struct,
    fcm_options: messageOf({ analytics_label: label, image: string }),
    live_activity_token: string,
  }),
  fcm_options: options,
})

// The requests of the push methods in Centrifugo's api.proto. Fields are in the order of their numbers.
import * as v from 'valibot'
import {
  bool,
  int32,
  int64,
  message,
  messageMap,
  rawJson,
  repeated,
  string,
  stringMap,
  strings,
} from '../wire-types.ts'

export const DeviceRegisterRequest = message({
  id: string,
  provider: string,
  token: string,
  platform: string,
  user: string,
  meta: stringMap,
  topics: strings,
  timezone: string,
  locale: string,
})
export type DeviceRegisterRequest = v.InferOutput<typeof DeviceRegisterRequest>

export const DeviceUpdateRequest = message({
  ids: strings,
  users: strings,
  user_update: v.optional(message({ user: string })),
  meta_update: v.optional(message({ meta: stringMap })),
  topics_update: v.optional(message({ op: string, topics: strings })),
  timezone_update: v.optional(message({ timezone: string })),
  locale_update: v.optional(message({ locale: string })),
})
export type DeviceUpdateRequest = v.InferOutput<typeof DeviceUpdateRequest>

export const DeviceRemoveRequest = message({ ids: strings, users: strings })
export type DeviceRemoveRequest = v.InferOutput<typeof DeviceRemoveRequest>

export const DeviceFilter = message({
  ids: strings,
  users: strings,
  topics: strings,
  providers: strings,
  platforms: strings,
})
export type DeviceFilter = v.InferOutput<typeof DeviceFilter>

export const DeviceListRequest = message({
  filter: v.optional(DeviceFilter),
  include_total_count: bool,
  include_meta: bool,
  include_topics: bool,
  include_webpush_keys: bool,
  cursor: string,
  limit: int32,
})
export type DeviceListRequest = v.InferOutput<typeof DeviceListRequest>

export const DeviceTopicListRequest = message({
  filter: v.optional(
    message({
      device_ids: strings,
      device_providers: strings,
      device_platforms: strings,
      device_users: strings,
      topics: strings,
      topic_prefix: string,
    }),
  ),
  include_total_count: bool,
  include_device: bool,
  cursor: string,
  limit: int32,
})
export type DeviceTopicListRequest = v.InferOutput<typeof DeviceTopicListRequest>

export const DeviceTopicUpdateRequest = message({ device_id: string, op: string, topics: strings, user: string })
export type DeviceTopicUpdateRequest = v.InferOutput<typeof DeviceTopicUpdateRequest>

export const UserTopicListRequest = message({
  filter: v.optional(message({ users: strings, topics: strings, topic_prefix: string })),
  include_total_count: bool,
  cursor: string,
  limit: int32,
})
export type UserTopicListRequest = v.InferOutput<typeof UserTopicListRequest>

export const UserTopicUpdateRequest = message({ user: string, op: string, topics: strings })
export type UserTopicUpdateRequest = v.InferOutput<typeof UserTopicUpdateRequest>

const PushRecipient = message({
  filter: v.optional(DeviceFilter),
  fcm_tokens: strings,
  fcm_topic: string,
  fcm_condition: string,
  hms_tokens: strings,
  hms_topic: string,
  hms_condition: string,
  apns_tokens: strings,
  webpush_tokens: strings,
})
export type PushRecipient = v.InferOutput<typeof PushRecipient>

const PushNotification = message({
  fcm: v.optional(message({ message: rawJson })),
  hms: v.optional(message({ message: rawJson })),
  apns: v.optional(message({ headers: stringMap, payload: rawJson })),
  webpush: v.optional(message({ headers: stringMap, payload: rawJson })),
  expire_at: int64,
})
export type PushNotification = v.InferOutput<typeof PushNotification>

const PushLimitStrategy = message({
  rate_limit: v.optional(
    message({
      key: string,
      policies: repeated(message({ rate: int64, interval_ms: int32 })),
      drop_if_rate_limited: bool,
    }),
  ),
  time_limit: v.optional(message({ send_after_time: string, send_before_time: string, no_tz_send_now: bool })),
})

/** The most locales in `localizations`: more than exist. */
const MAX_LOCALES = 2000

export const SendPushNotificationRequest = message({
  recipient: v.optional(PushRecipient),
  notification: v.optional(PushNotification),
  uid: string,
  send_at: int64,
  optimize_for_reliability: bool,
  limit_strategy: v.optional(PushLimitStrategy),
  analytics_uid: string,
  localizations: messageMap(message({ translations: stringMap }), MAX_LOCALES),
  use_templating: bool,
  use_meta: bool,
})
export type SendPushNotificationRequest = v.InferOutput<typeof SendPushNotificationRequest>

export const UpdatePushStatusRequest = message({
  analytics_uid: string,
  status: string,
  device_id: string,
  msg_id: string,
})
export type UpdatePushStatusRequest = v.InferOutput<typeof UpdatePushStatusRequest>

/** The request of push_events. Centrifugo PRO has no such method. */
export const PushEventsRequest = message({
  uid: string,
  device_id: string,
  user: string,
  include_attempts: bool,
  cursor: string,
  limit: int32,
})
export type PushEventsRequest = v.InferOutput<typeof PushEventsRequest>

/** The request of explain_push. Centrifugo PRO has no such method. */
export const ExplainPushRequest = message({ uid: string, user: string, device_id: string })
export type ExplainPushRequest = v.InferOutput<typeof ExplainPushRequest>

/** The request of push_list. Centrifugo PRO has no such method. */
export const PushListRequest = message({
  states: strings,
  uid_prefix: string,
  accepted_from: int64,
  accepted_to: int64,
  cursor: string,
  limit: int32,
})
export type PushListRequest = v.InferOutput<typeof PushListRequest>

/** The request of push_info. Centrifugo PRO has no such method. */
export const PushInfoRequest = message({ uid: string })
export type PushInfoRequest = v.InferOutput<typeof PushInfoRequest>

/**
 * The request of cancel_push. `user` and `device_id` are not in Centrifugo PRO: they limit the cancellation to the
 * pushes of one user or device.
 */
export const CancelPushRequest = message({ uid: string, user: string, device_id: string })
export type CancelPushRequest = v.InferOutput<typeof CancelPushRequest>

// The requests of methods that are not in Centrifugo's api.proto: those that join publications and pushes, and those
// that clients call.
import * as v from 'valibot'
import { message, presentInt64, rawJson, string, stringMap, strings } from '../wire-types.ts'
import { SendPushNotificationRequest } from './push.ts'

/** The request of `ack_push`, which servers call. */
export const AckPushRequest = message({ user: string, uids: strings, device_id: string, kind: string })
export type AckPushRequest = v.InferOutput<typeof AckPushRequest>

/**
 * The request of `publish_or_push`. `publish` and `broadcast` are the requests of these methods; they are kept as they
 * were written, because the node gets their bytes.
 */
export const PublishOrPushRequest = message({
  publish: rawJson,
  broadcast: rawJson,
  push: v.optional(SendPushNotificationRequest),
  delay_ms: presentInt64,
  ack_scope: string,
  ack_kind: string,
  presence: string,
  except_users: strings,
})
export type PublishOrPushRequest = v.InferOutput<typeof PublishOrPushRequest>

/** The request of a client's `ack`. The user is that of the connection, as in all requests below. */
export const ClientAckRequest = message({ uids: strings, device_id: string, kind: string })

/** The request of a client's `device_register`. */
export const ClientRegisterRequest = message({
  id: string,
  provider: string,
  token: string,
  platform: string,
  meta: stringMap,
  topics: strings,
  timezone: string,
  locale: string,
})
export type ClientRegisterRequest = v.InferOutput<typeof ClientRegisterRequest>

const TopicsUpdate = message({ op: string, topics: strings })

/** The request of a client's `device_update`. */
export const ClientUpdateRequest = message({
  id: string,
  meta_update: v.optional(message({ meta: stringMap })),
  topics_update: v.optional(TopicsUpdate),
  timezone_update: v.optional(message({ timezone: string })),
  locale_update: v.optional(message({ locale: string })),
})
export type ClientUpdateRequest = v.InferOutput<typeof ClientUpdateRequest>

/** The request of a client's `device_remove`. */
export const ClientRemoveRequest = message({ id: string })

/** The request of a client's `device_topic_update`. */
export const ClientTopicUpdateRequest = message({ device_id: string, op: string, topics: strings })

/** The request of a node's RPC proxy for each call of a client (Centrifugo's proxy.proto, `RPCRequest`). */
export const RpcProxyRequest = message({ user: string, method: string, data: rawJson, b64data: string })

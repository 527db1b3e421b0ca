// The only list of methods. Routes, batch, legacy commands and metric labels are read from it.
import type { Analytics, EventReader } from '../analytics/analytics.ts'
import type { DeviceStore } from '../devices/device-store.ts'
import type { EndpointCheck } from '../devices/web-push-endpoint.ts'
import type { ExplainDeps } from '../explain/explain-push.ts'
import { ApiError } from '../protocol/errors.ts'
import * as push from '../protocol/requests/push.ts'
import * as realtime from '../protocol/requests/realtime.ts'
import { upstreamRequests as up } from '../protocol/requests/upstream.ts'
import type { AcceptDeps } from '../push/accept.ts'
import type { Queue } from '../queue/queue.ts'
import { makeAckPush } from './ack-push.ts'
import { makeCancelPush } from './cancel-push.ts'
import { makeDeviceList } from './device-list.ts'
import { makeDeviceRegister } from './device-register.ts'
import { makeDeviceRemove } from './device-remove.ts'
import { makeDeviceTopicList } from './device-topic-list.ts'
import { makeDeviceTopicUpdate } from './device-topic-update.ts'
import { makeDeviceUpdate } from './device-update.ts'
import { makeExplainPush } from './explain-push.ts'
import { type Method, pushMethod, upstreamMethod } from './method.ts'
import { makePushEvents } from './push-events.ts'
import { makePushInfo } from './push-info.ts'
import { makePushList } from './push-list.ts'
import { makeSendPushNotification } from './send-push-notification.ts'
import { makeUpdatePushStatus } from './update-push-status.ts'
import { makeUserTopicList } from './user-topic-list.ts'
import { makeUserTopicUpdate } from './user-topic-update.ts'

/** All methods of the server API: by the name in their path, and by their number in the legacy API. */
export interface MethodTable {
  byName: ReadonlyMap<string, Method>
  byNumber: ReadonlyMap<number, Method>
}

/**
 * The parts that push methods use. Without a database there are no devices and no analytics, and methods that need
 * these answer error 108.
 */
export interface PushDeps {
  accept: AcceptDeps
  /** Runs `cancel_push`. @throws ApiError */
  cancel(request: push.CancelPushRequest): Promise<void>
  /** The reports of sends. */
  reports: Pick<Queue, 'loadReport' | 'listReports'>
  devices: DeviceStore | undefined
  /** Checks the endpoint of a Web Push registration. */
  checkEndpoint: EndpointCheck
  analytics: Analytics | undefined
  events: EventReader | undefined
  explain: ExplainDeps | undefined
  /** Stores the acks of a user that a server reports. @throws ApiError */
  ack(request: realtime.AckPushRequest): Promise<void>
  /** Publishes, and pushes to those who do not acknowledge. Resolves to the result. @throws ApiError */
  publishOrPush(request: realtime.PublishOrPushRequest): Promise<object>
}

/**
 * Makes the table of methods.
 * @param deps undefined if push is disabled: then push methods are unknown, as on a node
 */
export function makeMethodTable(deps: PushDeps | undefined): MethodTable {
  const methods = [...listUpstreamMethods(), ...(deps ? listPushMethods(deps) : [])]
  return {
    byName: new Map(methods.map((method) => [method.name, method])),
    byNumber: new Map(methods.map((method) => [method.number, method])),
  }
}

/** The methods that the upstream node answers, with the numbers that Centrifugo gives them. It does not use 13. */
function listUpstreamMethods(): Method[] {
  return [
    upstreamMethod('publish', 0, up.publish),
    upstreamMethod('broadcast', 1, up.broadcast),
    upstreamMethod('unsubscribe', 2, up.unsubscribe),
    upstreamMethod('disconnect', 3, up.disconnect),
    upstreamMethod('presence', 4, up.presence),
    upstreamMethod('presence_stats', 5, up.presence_stats),
    upstreamMethod('history', 6, up.history),
    upstreamMethod('history_remove', 7, up.history_remove),
    upstreamMethod('channels', 8, up.channels),
    upstreamMethod('info', 9, up.info),
    upstreamMethod('rpc', 10, up.rpc),
    upstreamMethod('subscribe', 11, up.subscribe),
    upstreamMethod('refresh', 12, up.refresh),
    upstreamMethod('connections', 14, up.connections),
    upstreamMethod('update_user_status', 15, up.update_user_status),
    upstreamMethod('get_user_status', 16, up.get_user_status),
    upstreamMethod('delete_user_status', 17, up.delete_user_status),
    upstreamMethod('block_user', 18, up.block_user),
    upstreamMethod('unblock_user', 19, up.unblock_user),
    upstreamMethod('revoke_token', 20, up.revoke_token),
    upstreamMethod('invalidate_user_tokens', 21, up.invalidate_user_tokens),
    upstreamMethod('map_publish', 33, up.map_publish),
    upstreamMethod('map_remove', 34, up.map_remove),
    upstreamMethod('map_read_state', 35, up.map_read_state),
    upstreamMethod('map_read_stream', 36, up.map_read_stream),
    upstreamMethod('map_stats', 37, up.map_stats),
    upstreamMethod('map_clear', 38, up.map_clear),
    upstreamMethod('shared_poll_publish', 39, up.shared_poll_publish),
  ]
}

function listPushMethods(deps: PushDeps): Method[] {
  const { accept, cancel, reports, devices, checkEndpoint, analytics, events, explain } = deps
  const { ack, publishOrPush } = deps
  const need = <Store, Request>(
    store: Store | undefined,
    make: (store: Store) => (request: Request) => Promise<object>,
  ) => (store === undefined ? answerNotAvailable : make(store))
  return [
    pushMethod(
      'device_register',
      22,
      push.DeviceRegisterRequest,
      need(devices, (store) => makeDeviceRegister(store, checkEndpoint)),
    ),
    pushMethod('device_update', 23, push.DeviceUpdateRequest, need(devices, makeDeviceUpdate)),
    pushMethod('device_remove', 24, push.DeviceRemoveRequest, need(devices, makeDeviceRemove)),
    pushMethod('device_list', 25, push.DeviceListRequest, need(devices, makeDeviceList)),
    pushMethod('device_topic_list', 26, push.DeviceTopicListRequest, need(devices, makeDeviceTopicList)),
    pushMethod('device_topic_update', 27, push.DeviceTopicUpdateRequest, need(devices, makeDeviceTopicUpdate)),
    pushMethod('user_topic_list', 28, push.UserTopicListRequest, need(devices, makeUserTopicList)),
    pushMethod('user_topic_update', 29, push.UserTopicUpdateRequest, need(devices, makeUserTopicUpdate)),
    pushMethod('send_push_notification', 30, push.SendPushNotificationRequest, makeSendPushNotification(accept)),
    pushMethod('update_push_status', 31, push.UpdatePushStatusRequest, need(analytics, makeUpdatePushStatus)),
    pushMethod('cancel_push', 32, push.CancelPushRequest, makeCancelPush(cancel)),
    // Centrifugo does not have these. Their numbers leave it room for more.
    pushMethod('push_list', 1000, push.PushListRequest, makePushList(reports)),
    pushMethod('push_info', 1001, push.PushInfoRequest, makePushInfo(reports)),
    pushMethod('push_events', 1002, push.PushEventsRequest, need(events, makePushEvents)),
    pushMethod('explain_push', 1003, push.ExplainPushRequest, need(explain, makeExplainPush)),
    pushMethod('ack_push', 1004, realtime.AckPushRequest, makeAckPush(ack)),
    pushMethod('publish_or_push', 1005, realtime.PublishOrPushRequest, publishOrPush),
  ]
}

async function answerNotAvailable(): Promise<object> {
  throw new ApiError('notAvailable', 'the method needs a database, but database.enabled is false')
}

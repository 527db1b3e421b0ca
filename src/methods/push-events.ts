import { CursorError, type EventPage, type EventReader, type RecordedEvent } from '../analytics/analytics.ts'
import { checkText } from '../devices/field-checks.ts'
import { readLimit } from '../devices/list-page.ts'
import { ApiError } from '../protocol/errors.ts'
import type { PushEventsRequest } from '../protocol/requests/push.ts'
import { withoutZeroValues } from '../protocol/result.ts'

/** The most bytes of a field: the limit of a `uid`. */
const MAX_FIELD_BYTES = 256

/**
 * The method `push_events`: the recorded events of a send, a device or a user, the newest first. `uid` is the
 * `analytics_uid` of the send, if it has one.
 */
export function makePushEvents(reader: EventReader) {
  return async (request: PushEventsRequest): Promise<object> => encodeEventPage(await listPushEvents(reader, request))
}

/** Lists the events that a request selects. @throws ApiError badRequest, or errors of the store */
export async function listPushEvents(reader: EventReader, request: PushEventsRequest): Promise<EventPage> {
  const { uid, device_id: deviceId, user, include_attempts: includesAttempts, cursor } = request
  if (uid === '' && deviceId === '' && user === '') {
    throw new ApiError('badRequest', 'uid, device_id, user: one of them is required')
  }
  checkText('uid', uid, MAX_FIELD_BYTES)
  checkText('device_id', deviceId, MAX_FIELD_BYTES)
  checkText('user', user, MAX_FIELD_BYTES)
  const deviceIds = deviceId === '' ? [] : [deviceId]
  const limit = readLimit(request.limit)
  try {
    return await reader.listEvents({ uid, deviceIds, user, includesAttempts, cursor, limit })
  } catch (error) {
    throw error instanceof CursorError ? new ApiError('badRequest', `cursor: ${error.message}`) : error
  }
}

/** Encodes a page of events as the result of push_events. `time_ms` is a Unix time. */
export function encodeEventPage({ events, nextCursor }: EventPage): object {
  return withoutZeroValues({ items: events.map(encodeEvent), next_cursor: nextCursor })
}

function encodeEvent(event: RecordedEvent): object {
  return withoutZeroValues({
    time_ms: event.timeMs,
    uid: event.uid,
    status: event.status,
    provider: event.provider,
    type: event.recipientType,
    recipient: event.recipient,
    device_id: event.deviceId,
    platform: event.platform,
    user: event.user,
    msg_id: event.messageId,
    error_code: event.errorCode,
    error_message: event.errorMessage,
    attempt: event.attempt,
    latency_ms: event.latencyMs,
  })
}

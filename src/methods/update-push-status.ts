import type { Analytics } from '../analytics/analytics.ts'
import { ApiError } from '../protocol/errors.ts'
import type { UpdatePushStatusRequest } from '../protocol/requests/push.ts'

/** The most bytes of `analytics_uid` and of the other fields of a report: the limit of a `uid`. */
const MAX_FIELD_BYTES = 256

/** The method `update_push_status`: stores an app's report about a notification. Its result is empty. */
export function makeUpdatePushStatus(analytics: Analytics) {
  return async (request: UpdatePushStatusRequest): Promise<object> => {
    const { analytics_uid: uid, status, device_id: deviceId, msg_id: messageId } = request
    checkText('analytics_uid', uid)
    checkText('device_id', deviceId)
    if (messageId !== '') checkText('msg_id', messageId)
    if (status !== 'delivered' && status !== 'interacted') {
      throw new ApiError('badRequest', 'status: must be delivered or interacted')
    }
    await analytics.recordStatus({ uid, status, deviceId, messageId })
    return {}
  }
}

function checkText(field: string, value: string): void {
  if (value === '' || Buffer.byteLength(value) > MAX_FIELD_BYTES || /\p{Cc}/u.test(value)) {
    throw new ApiError('badRequest', `${field}: must be 1 to ${MAX_FIELD_BYTES} bytes without control characters`)
  }
}

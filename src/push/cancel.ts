import { checkUser, parseId } from '../devices/field-checks.ts'
import { ApiError } from '../protocol/errors.ts'
import type { CancelPushRequest } from '../protocol/requests/push.ts'
import type { Queue } from '../queue/queue.ts'
import { checkUid } from './uid.ts'

/**
 * Stops what of a send has not been handed to a provider: all of it, or what would go to one user or device. An unknown
 * uid is no error: an acknowledgement may overtake its send, which is stopped when it comes. @throws ApiError
 */
export async function cancelSend(queue: Pick<Queue, 'cancel' | 'drop'>, request: CancelPushRequest): Promise<void> {
  const { uid, user, device_id: deviceId } = request
  checkUid(uid)
  if (user === '' && deviceId === '') return queue.cancel(uid)
  // The queue has devices by their uuids.
  const drop = { user: checkUser('user', user), deviceId: deviceId && parseId('device_id', deviceId).uuid }
  if ((await queue.drop(uid, drop)) === 'full') {
    throw new ApiError('internal', 'cancel_push: 100,000 targets of this send are cancelled; cancel all of it instead')
  }
}

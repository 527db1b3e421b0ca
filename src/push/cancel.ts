import { checkUser, parseId } from '../devices/field-checks.ts'
import { ApiError } from '../protocol/errors.ts'
import type { CancelPushRequest } from '../protocol/requests/push.ts'
import type { Queue } from '../queue/queue.ts'
import { checkUid } from './uid.ts'

/**
 * Cancels the targets of a send that were not handed to a provider: all of them, or those of one user or device. An
 * unknown uid is not an error: the cancellation may arrive before its send, which is then cancelled when it arrives.
 * @throws ApiError
 */
export async function cancelSend(queue: Pick<Queue, 'cancel' | 'exclude'>, request: CancelPushRequest): Promise<void> {
  const { uid, user, device_id: deviceId } = request
  checkUid(uid)
  if (user === '' && deviceId === '') return queue.cancel(uid)
  // Target lines contain the uuid of a device, not its whole id.
  const exclusion = { user: checkUser('user', user), deviceId: deviceId && parseId('device_id', deviceId).uuid }
  if ((await queue.exclude(uid, exclusion)) === 'full') {
    throw new ApiError('internal', 'cancel_push: 100,000 targets of this send are cancelled; cancel the whole send')
  }
}

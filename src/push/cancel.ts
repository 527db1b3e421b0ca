import { ApiError } from '../protocol/errors.ts'
import type { CancelPushRequest } from '../protocol/requests/push.ts'
import type { Queue } from '../queue/queue.ts'
import { checkUid } from './uid.ts'

/**
 * Stops what of a send has not been handed to a provider. An unknown uid is no error: an acknowledgement may overtake
 * its send, which is stopped when it comes. @throws ApiError
 */
export async function cancelSend(queue: Pick<Queue, 'cancel'>, request: CancelPushRequest): Promise<void> {
  checkUid(request.uid)
  if (request.user !== '' || request.device_id !== '') {
    throw new ApiError('notAvailable', 'user, device_id: cancelling for one target is not built yet')
  }
  await queue.cancel(request.uid)
}

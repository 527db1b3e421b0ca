import type { AckPushRequest } from '../protocol/requests/realtime.ts'

/** The method `ack_push`: a server reports the acks of a user. Its result is empty, also for unknown uids. */
export function makeAckPush(ack: (request: AckPushRequest) => Promise<void>) {
  return async (request: AckPushRequest): Promise<object> => {
    await ack(request)
    return {}
  }
}

import type { CancelPushRequest } from '../protocol/requests/push.ts'

/** `cancel_push`: the result is empty, also if there was nothing to cancel. */
export function makeCancelPush(cancel: (request: CancelPushRequest) => Promise<void>) {
  return async (request: CancelPushRequest): Promise<object> => {
    await cancel(request)
    return {}
  }
}

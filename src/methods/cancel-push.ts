import type { CancelPushRequest } from '../protocol/requests/push.ts'

/** `cancel_push`: an empty result, whether there was something to cancel or not. */
export function makeCancelPush(cancel: (request: CancelPushRequest) => Promise<void>) {
  return async (request: CancelPushRequest): Promise<object> => {
    await cancel(request)
    return {}
  }
}

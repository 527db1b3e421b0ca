import type { CancelPushRequest } from '../protocol/requests/push.ts'

/** The method `cancel_push`. Its result is empty, even if there was nothing to cancel. */
export function makeCancelPush(cancel: (request: CancelPushRequest) => Promise<void>) {
  return async (request: CancelPushRequest): Promise<object> => {
    await cancel(request)
    return {}
  }
}

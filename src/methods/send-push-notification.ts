import type { SendPushNotificationRequest } from '../protocol/requests/push.ts'
import { type AcceptDeps, acceptSend } from '../push/accept.ts'

/** The method `send_push_notification`: accepts a send. Its result contains the send's `uid`. */
export function makeSendPushNotification(deps: AcceptDeps) {
  return async (request: SendPushNotificationRequest): Promise<object> => ({ uid: await acceptSend(deps, request) })
}

import { DecodeError, decodeMessage } from '../../protocol/decode-message.ts'
import { ApiError } from '../../protocol/errors.ts'
import { SendPushNotificationRequest } from '../../protocol/requests/push.ts'
import { type AcceptDeps, acceptSend } from '../../push/accept.ts'

/** Reads a request to send as the API does. @throws ApiError badRequest */
export function decodeRequest(json: string): SendPushNotificationRequest {
  try {
    return decodeMessage(SendPushNotificationRequest, Buffer.from(json))
  } catch (error) {
    throw error instanceof DecodeError ? new ApiError('badRequest', error.message, { cause: error }) : error
  }
}

/** Accepts a request to send as the API does, and resolves to its uid. @throws ApiError */
export async function acceptRequest(accept: AcceptDeps, request: object): Promise<string> {
  return await acceptSend(accept, decodeRequest(JSON.stringify(request)))
}

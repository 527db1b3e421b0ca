// The error bodies of Google APIs (https://cloud.google.com/apis/design/errors), with the details that FCM adds
// (https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode).
import { type Answer, jsonAnswer } from '../answer.ts'

/** An answer with an error: its `error.code`, its `error.status` and any details. */
export function googleError(
  code: number,
  status: string,
  message: string,
  details: object[] = [],
  headers: Record<string, string> = {},
): Answer {
  const error = { code, message, status, ...(details.length > 0 && { details }) }
  return jsonAnswer(code, { error }, headers)
}

/** The detail of an error that contains FCM's own error code. */
export function fcmErrorDetail(errorCode: string): object {
  return { '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode }
}

/**
 * The answer to a message that the API does not accept: 400 with an explanation of the field, without an error code of
 * FCM.
 */
export function badRequest(field: string, description: string): Answer {
  const detail = { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field, description }] }
  return googleError(400, 'INVALID_ARGUMENT', `${field}: ${description}`, [detail])
}

/** The answer when a quota of the project is exhausted: 429 with the name of the quota and Retry-After. */
export function quotaExceeded(project: string, retryAfterSeconds: number): Answer {
  const quota = {
    '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
    violations: [{ subject: `projects/${project}`, description: 'message rate of the project' }],
  }
  const details = [fcmErrorDetail('QUOTA_EXCEEDED'), quota]
  const headers = { 'retry-after': String(retryAfterSeconds) }
  return googleError(429, 'RESOURCE_EXHAUSTED', 'the quota is used up', details, headers)
}

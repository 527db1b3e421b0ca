import { type FaultTable, SHARED_FAULTS } from '../faults.ts'
import { badRequest, fcmErrorDetail, googleError, quotaExceeded } from './google-error.ts'

/** The faults of the FCM simulator. */
export function makeFcmFaults({ project, retryAfterSeconds }: { project: string; retryAfterSeconds: number }) {
  return {
    unregistered: fcmFault(404, 'NOT_FOUND', 'UNREGISTERED'),
    invalid: fcmFault(400, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'),
    senderid: fcmFault(403, 'PERMISSION_DENIED', 'SENDER_ID_MISMATCH'),
    quota: {
      does: '429 QUOTA_EXCEEDED with Retry-After',
      isAccepted: false,
      answer: quotaExceeded(project, retryAfterSeconds),
    },
    thirdparty: fcmFault(401, 'UNAUTHENTICATED', 'THIRD_PARTY_AUTH_ERROR'),
    payload: {
      does: '400 for the payload',
      isAccepted: false,
      answer: badRequest('message.android.ttl', 'Illegal duration format'),
    },
    accesstoken: plainFault(401, 'UNAUTHENTICATED'),
    permission: plainFault(403, 'PERMISSION_DENIED'),
    project: plainFault(404, 'NOT_FOUND'),
    unavailable: fcmFault(503, 'UNAVAILABLE', 'UNAVAILABLE'),
    internal: fcmFault(500, 'INTERNAL', 'INTERNAL'),
    unspecified: fcmFault(500, 'UNKNOWN', 'UNSPECIFIED_ERROR'),
    ...SHARED_FAULTS,
  } satisfies FaultTable
}

/** A fault with an error that has no error code of FCM, as all APIs of Google answer it to a refused credential. */
function plainFault(code: number, status: string) {
  return {
    does: `${code} ${status} without an FCM error`,
    isAccepted: false,
    answer: googleError(code, status, status),
  }
}

function fcmFault(code: number, status: string, fcmCode: string) {
  const message =
    fcmCode === 'INVALID_ARGUMENT' ? 'The registration token is not a valid FCM registration token' : fcmCode
  const answer = googleError(code, status, message, [fcmErrorDetail(fcmCode)])
  return { does: `${code} ${fcmCode}`, isAccepted: false, answer }
}

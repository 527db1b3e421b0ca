import { type FaultTable, SHARED_FAULTS } from '../faults.ts'
import { fcmErrorDetail, googleError, quotaExceeded } from './google-error.ts'

/** What can go wrong at the FCM simulator, by the word that a target begins with. */
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
    unavailable: fcmFault(503, 'UNAVAILABLE', 'UNAVAILABLE'),
    internal: fcmFault(500, 'INTERNAL', 'INTERNAL'),
    ...SHARED_FAULTS,
  } satisfies FaultTable
}

function fcmFault(code: number, status: string, fcmCode: string) {
  const message =
    fcmCode === 'INVALID_ARGUMENT' ? 'The registration token is not a valid FCM registration token' : fcmCode
  const answer = googleError(code, status, message, [fcmErrorDetail(fcmCode)])
  return { does: `${code} ${fcmCode}`, isAccepted: false, answer }
}

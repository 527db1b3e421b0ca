import type { Answer } from '../answer.ts'
import { type FaultTable, SHARED_FAULTS } from '../faults.ts'

/** The faults of the Web Push simulator. A push gets a fault if the name of its browser starts with the word. */
export function makeWebPushFaults(retryAfterSeconds: number): FaultTable {
  const retryAfter = { 'retry-after': String(retryAfterSeconds) }
  return {
    ...SHARED_FAULTS,
    bad: refused(400),
    unregistered: {
      ...refused(400, {}, '<HTML><TITLE>UnauthorizedRegistration</TITLE></HTML>'),
      does: "400 with FCM's UnauthorizedRegistration",
    },
    unauthorized: refused(401),
    forbidden: refused(403, {}, '{"reason":"BadJwtToken"}'),
    notfound: refused(404),
    gone: refused(410),
    notacceptable: refused(406, retryAfter),
    toolarge: refused(413),
    busy: refused(429, retryAfter),
    internal: refused(500),
    unavailable: refused(503),
    traffic: refused(503, retryAfter),
    redirect: refused(307, { location: '/push/redirected' }),
  }
}

function refused(status: number, headers: Record<string, string> = {}, body = '') {
  const names = Object.keys(headers).join(', ')
  const answer: Answer = { status, headers, body }
  return { does: `${status}${names && ` with ${names}`}`, isAccepted: false, answer }
}

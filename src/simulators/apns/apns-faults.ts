import { type Fault, type FaultTable, SHARED_FAULTS } from '../faults.ts'
import { REASONS, type Reason } from './apns-answer.ts'

/**
 * A fault for which APNs refuses the request. Its answer is made for each request, because it depends on request and
 * time.
 */
export interface ApnsFault extends Fault {
  reason?: Reason
}

/** The faults of the APNs simulator. The word for a refusal is its reason in lower case. */
export function makeApnsFaults(): FaultTable<ApnsFault> {
  const reasons = Object.entries(REASONS).map(([name, status]) => {
    // The cast is safe: Object.entries only loses the type of the keys.
    const reason = name as Reason
    return [reason.toLowerCase(), { does: `${status} ${reason}`, isAccepted: false, reason }] as const
  })
  return { ...Object.fromEntries(reasons), ...SHARED_FAULTS }
}

import { type Fault, type FaultTable, SHARED_FAULTS } from '../faults.ts'
import { REASONS, type Reason } from './apns-answer.ts'

/** A fault that is a refusal of APNs. Its answer is made for each request, because it depends on request and time. */
export interface ApnsFault extends Fault {
  reason?: Reason
}

/** The faults of the APNs simulator. The words for refusals are the reasons in lower case. */
export function makeApnsFaults(): FaultTable<ApnsFault> {
  const reasons = Object.entries(REASONS).map(([name, status]) => {
    // Object.entries loses the type of the keys.
    const reason = name as Reason
    return [reason.toLowerCase(), { does: `${status} ${reason}`, isAccepted: false, reason }] as const
  })
  return { ...Object.fromEntries(reasons), ...SHARED_FAULTS }
}

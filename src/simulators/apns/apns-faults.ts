import { type Fault, type FaultTable, SHARED_FAULTS } from '../faults.ts'
import { REASONS, type Reason } from './apns-answer.ts'

/** A refusal of APNs as a fault: its answer depends on the request and on the time, so it is made when it happens. */
export interface ApnsFault extends Fault {
  reason?: Reason
}

/** What can go wrong at the APNs simulator, by the word that a device token begins with: each reason in lower case. */
export function makeApnsFaults(): FaultTable<ApnsFault> {
  const reasons = Object.entries(REASONS).map(([name, status]) => {
    // Keys of the table are what its type says.
    const reason = name as Reason
    return [reason.toLowerCase(), { does: `${status} ${reason}`, isAccepted: false, reason }] as const
  })
  return { ...Object.fromEntries(reasons), ...SHARED_FAULTS }
}

import * as v from 'valibot'
import type { Answer } from '../../../src/simulators/answer.ts'
import { makeApnsFaults } from '../../../src/simulators/apns/apns-faults.ts'
import { makeDeviceToken, readDeviceName } from '../../../src/simulators/apns/device-name.ts'
import type { Treatment } from '../../../src/simulators/simulated-request.ts'
import { startApnsSimulator } from '../../support/apns-simulator.ts'
import { PAYLOAD_MARK } from '../../support/run-log.ts'
import { type MisbehaviourCase, parseAnswer, type Reading } from '../misbehaving-provider.ts'

const Refusal = v.object({ reason: v.string() })

/** A misbehaving simulator of APNs. */
export const APNS_CASE: MisbehaviourCase = {
  name: 'apns',
  words: Object.keys(makeApnsFaults()),
  start: async ({ onTreatment, ...options }) => {
    const { simulator, stop } = await startApnsSimulator({
      ...options,
      onTreatment: (treatment) => onTreatment(nameDevices(treatment)),
    })
    const { origin, files, account } = simulator
    const apns = {
      endpoint: origin,
      bundle_id: account.bundleId,
      auth_type: 'token' as const,
      token_key_file: files.tokenKey,
      token_key_id: account.keyId,
      token_team_id: account.teamId,
      ca_file: files.ca,
    }
    return {
      settings: { apns },
      recipientField: 'apns_tokens',
      notification: { apns: { payload: { aps: { alert: PAYLOAD_MARK } } } },
      tokenOf: makeDeviceToken,
      targetOf: readDeviceName,
      read,
      stop,
    }
  },
}

/** A treatment with the names of its devices in place of their tokens. */
function nameDevices(treatment: Treatment): Treatment {
  return {
    targets: treatment.targets.map(readDeviceName),
    accepted: treatment.accepted.map(readDeviceName),
    answer: treatment.answer,
    // It changes when the stream of the request has ended.
    get isAnswered() {
      return treatment.isAnswered
    },
  }
}

/** Apple's status codes: 403 refuses the credential, 429 and 5xx are temporary, IdleTimeout concerns the connection. */
function read(answer: Answer): Reading {
  const { status } = answer
  if (status === 200) return { end: 'sent', reason: '' }
  const refusal = v.safeParse(Refusal, parseAnswer(answer))
  const reason = refusal.success ? refusal.output.reason : `HTTP_${status}`
  const isAgain = status === 403 || status === 429 || status >= 500 || reason === 'IdleTimeout'
  return { end: isAgain ? 'again' : 'failed', reason }
}

import * as v from 'valibot'
import type { Answer } from '../../../src/simulators/answer.ts'
import { makeFcmFaults } from '../../../src/simulators/fcm/fcm-faults.ts'
import { startFcmSimulator } from '../../support/fcm-simulator.ts'
import { PAYLOAD_MARK } from '../../support/run-log.ts'
import { type MisbehaviourCase, parseAnswer, type Reading } from '../misbehaving-provider.ts'

/** Final error codes: https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode */
const FINAL = new Set(['UNREGISTERED', 'INVALID_ARGUMENT', 'SENDER_ID_MISMATCH', 'THIRD_PARTY_AUTH_ERROR'])

const Refusal = v.object({ error: v.object({ details: v.array(v.object({ errorCode: v.optional(v.string()) })) }) })

/** A misbehaving simulator of FCM. */
export const FCM_CASE: MisbehaviourCase = {
  name: 'fcm',
  words: Object.keys(makeFcmFaults({ project: '', retryAfterSeconds: 0 })),
  start: async (options) => {
    const { simulator, stop } = await startFcmSimulator(options)
    const { origin, files } = simulator
    const fcm = { credentials_file: files.credentials, ca_file: files.ca, push_endpoint: origin, auth_endpoint: origin }
    return {
      settings: { fcm },
      recipientField: 'fcm_tokens',
      notification: { fcm: { message: { notification: { title: PAYLOAD_MARK } } } },
      tokenOf: (target) => target,
      targetOf: (token) => token,
      read,
      stop,
    }
  },
}

function read(answer: Answer): Reading {
  if (answer.status === 200) return { end: 'sent', reason: '' }
  const refusal = v.safeParse(Refusal, parseAnswer(answer))
  const code = refusal.success ? refusal.output.error.details.find(({ errorCode }) => errorCode)?.errorCode : undefined
  const isFinal = code === undefined ? answer.status === 400 : FINAL.has(code)
  return { end: isFinal ? 'failed' : 'again', reason: code ?? `HTTP_${answer.status}` }
}

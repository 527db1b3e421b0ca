import * as v from 'valibot'
import type { Answer } from '../../../src/simulators/answer.ts'
import { ILLEGAL, makeHmsFaults } from '../../../src/simulators/hms/hms-faults.ts'
import { startHmsSimulator } from '../../support/hms-simulator.ts'
import { PAYLOAD_MARK } from '../../support/run-log.ts'
import { type MisbehaviourCase, parseAnswer, type Reading } from '../misbehaving-provider.ts'

/** Tokens of one request. With Huawei's limit of 1,000, a run of 100,000 pushes would meet only five faults. */
const TOKENS_OF_REQUEST = 10

const Body = v.object({ code: v.string(), msg: v.string() })
const Partial = v.object({ illegal_tokens: v.array(v.string()) })

/** A misbehaving simulator of HMS. */
export const HMS_CASE: MisbehaviourCase = {
  name: 'hms',
  words: Object.keys(makeHmsFaults(0)),
  refused: Array.from({ length: 20 }, (_, index) => `${ILLEGAL}${index}`),
  start: async (options) => {
    const { simulator, stop } = await startHmsSimulator(options)
    const { origin, authEndpoint, app, files } = simulator
    const hms = {
      app_id: app.id,
      app_secret: app.secret,
      push_endpoint: origin,
      auth_endpoint: authEndpoint,
      ca_file: files.ca,
      tokens_batch_size: TOKENS_OF_REQUEST,
    }
    return {
      settings: { hms },
      recipientField: 'hms_tokens',
      notification: { hms: { message: { data: PAYLOAD_MARK } } },
      tokenOf: (target) => target,
      targetOf: (token) => token,
      read,
      stop,
    }
  },
}

/** Huawei's codes: 801 and 803 concern message and tokens, 80100017 and 806 on the service, 802 the access token. */
function read(answer: Answer, target: string): Reading {
  const body = v.safeParse(Body, parseAnswer(answer))
  if (!body.success) return { end: 'again', reason: `HTTP_${answer.status}` }
  const { code, msg } = body.output
  if (code === '80000000') return { end: 'sent', reason: '' }
  if (code === '80100000') {
    const list = v.safeParse(Partial, parseAnswer({ ...answer, body: msg }))
    // Without a readable list no token counts as accepted.
    const isSent = list.success && !list.output.illegal_tokens.includes(target)
    return isSent ? { end: 'sent', reason: '' } : { end: 'failed', reason: code }
  }
  const isFinal = /^80[13]/.test(code) && code !== '80100017'
  return { end: isFinal ? 'failed' : 'again', reason: code }
}

import * as v from 'valibot'
import type { Answer } from '../../../src/simulators/answer.ts'
import { ILLEGAL, makeHmsFaults } from '../../../src/simulators/hms/hms-faults.ts'
import { startHmsSimulator } from '../../support/hms-simulator.ts'
import { PAYLOAD_MARK } from '../../support/run-log.ts'
import { type MisbehaviourCase, parseAnswer, type Reading } from '../misbehaving-provider.ts'

/** Of one request: with Huawei's thousand, a hundred thousand pushes would meet five faults. */
const TOKENS_OF_REQUEST = 10

const Body = v.object({ code: v.string(), msg: v.string() })
const Partial = v.object({ illegal_tokens: v.array(v.string()) })

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

/** 801 and 803 are about message and tokens, 80100017 and 806 on about Huawei, 802 about our access token. */
function read(answer: Answer, target: string): Reading {
  const body = v.safeParse(Body, parseAnswer(answer))
  if (!body.success) return { end: 'again', reason: `HTTP_${answer.status}` }
  const { code, msg } = body.output
  if (code === '80000000') return { end: 'sent', reason: '' }
  if (code === '80100000') {
    const list = v.safeParse(Partial, parseAnswer({ ...answer, body: msg }))
    // A list that can't be read names nobody as sent to.
    const isSent = list.success && !list.output.illegal_tokens.includes(target)
    return isSent ? { end: 'sent', reason: '' } : { end: 'failed', reason: code }
  }
  const isFinal = /^80[13]/.test(code) && code !== '80100017'
  return { end: isFinal ? 'failed' : 'again', reason: code }
}

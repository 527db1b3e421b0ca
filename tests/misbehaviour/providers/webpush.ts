import type { Answer } from '../../../src/simulators/answer.ts'
import { makeWebPushFaults } from '../../../src/simulators/webpush/webpush-faults.ts'
import { PAYLOAD_MARK } from '../../support/run-log.ts'
import { startWebPushSimulator } from '../../support/webpush-simulator.ts'
import type { MisbehaviourCase, Reading } from '../misbehaving-provider.ts'

/** A misbehaving simulator of Web Push services. */
export const WEBPUSH_CASE: MisbehaviourCase = {
  name: 'webpush',
  words: Object.keys(makeWebPushFaults(0)),
  start: async (options) => {
    const { simulator, stop } = await startWebPushSimulator(options)
    const { origin, vapidKeys, files } = simulator
    const webpush = {
      vapid_public_key: vapidKeys.publicKey,
      vapid_private_key: vapidKeys.privateKey,
      subject: 'mailto:push@example.com',
      extra_allowed_endpoint_origins: [origin],
      private_endpoint_networks: ['127.0.0.1/32'],
      ca_file: files.ca,
    }
    return {
      settings: { webpush },
      recipientField: 'webpush_tokens',
      notification: { webpush: { payload: { title: PAYLOAD_MARK } } },
      tokenOf: (target) => simulator.subscribe(target),
      targetOf: (token) => decodeURIComponent(token.slice(token.lastIndexOf('/') + 1)),
      read,
      stop,
    }
  },
}

/** RFC 8030: 401, 403 and FCM's UnauthorizedRegistration refuse the VAPID key, 429 and 5xx are temporary. */
function read({ status, body }: Answer): Reading {
  const reason = `HTTP_${status}`
  if (status === 201) return { end: 'sent', reason: '' }
  const isKey = [401, 403].includes(status) || body.includes('UnauthorizedRegistration')
  return { end: isKey || status === 429 || status >= 500 ? 'again' : 'failed', reason }
}

import { expect, test } from 'vitest'
import { makeLogger } from '../../src/observability/log.ts'
import { makeAddressPolicy } from '../../src/providers/webpush/address-policy.ts'
import { readVapidKeys } from '../../src/providers/webpush/vapid-keys.ts'
import { WebPushProvider } from '../../src/providers/webpush/webpush.ts'
import { SHARED_FAULTS } from '../../src/simulators/faults.ts'
import { makeWebPushFaults } from '../../src/simulators/webpush/webpush-faults.ts'
import { countDeliveries, sendUntilFinal } from '../support/send-until-final.ts'
import { startWebPushSimulator } from '../support/webpush-simulator.ts'

const PUSHES = 3000
/** Half-open connections take a ping to be noticed, and have a test of their own. */
const words = Object.keys({ ...SHARED_FAULTS, ...makeWebPushFaults(1) }).filter((word) => word !== 'stall')

test('every push ends in one outcome while the service misbehaves: none is lost, none sent twice but where it was silent', async () => {
  const { simulator, ca, stop } = await startWebPushSimulator({ slowMs: 50, misbehaviour: { share: 0.05, words } })
  const { publicKey, privateKey } = simulator.vapidKeys
  const provider = new WebPushProvider({
    keys: readVapidKeys(publicKey, privateKey),
    subject: 'mailto:push@example.com',
    isAddressAllowed: makeAddressPolicy(['127.0.0.1/32']),
    checkEndpoint: () => undefined,
    ca,
    requestTimeoutMs: 1000,
    logger: makeLogger({ level: 'none', file: '' }),
  })
  const subscriptions = new Map(
    Array.from({ length: PUSHES }, (_, i) => {
      const { endpoint, keys } = JSON.parse(simulator.subscribe(`browser-${i}`))
      return [endpoint, JSON.stringify(keys)]
    }),
  )
  const endpoints = [...subscriptions.keys()]
  const endings = await sendUntilFinal(
    provider,
    endpoints,
    (targets) => ({
      uid: 'u',
      notification: { json: Buffer.from('{"title":"hi"}'), headers: new Map() },
      targetKind: 'token',
      targets,
      keys: targets.map((target) => subscriptions.get(target) ?? ''),
    }),
    100,
  )
  const reached = countDeliveries(simulator.accepted)
  endpoints.forEach((endpoint, index) => {
    const ending = endings.get(endpoint)
    const deliveries = reached.get(`browser-${index}`) ?? 0
    const maybeDelivered = ending?.maybeDelivered ?? 0
    const isSent = ending?.outcome.kind === 'sent'
    expect(['sent', 'tokenGone', 'rejected']).toContain(ending?.outcome.kind)
    expect(deliveries).toBeGreaterThanOrEqual(isSent ? 1 : 0)
    expect(deliveries).toBeLessThanOrEqual((isSent ? 1 : 0) + maybeDelivered)
  })
  await provider.close()
  await stop()
})

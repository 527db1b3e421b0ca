import { expect, test } from 'vitest'
import { makeLogger } from '../../src/observability/log.ts'
import { HmsProvider } from '../../src/providers/hms/hms.ts'
import { makeHmsFaults } from '../../src/simulators/hms/hms-faults.ts'
import { startHmsSimulator } from '../support/hms-simulator.ts'
import { countDeliveries, sendUntilFinal } from '../support/send-until-final.ts'

const REQUESTS = 400
const TOKENS = 25
/** Half-open connections take a ping to be noticed, and have a test of their own. */
const words = Object.keys(makeHmsFaults(1)).filter((word) => word !== 'stall')

test('every push ends in one outcome while Huawei misbehaves: none is lost, none sent twice but where it was silent', async () => {
  const { simulator, ca, stop } = await startHmsSimulator({ slowMs: 50, misbehaviour: { share: 0.1, words } })
  const provider = new HmsProvider({
    appId: simulator.app.id,
    appSecret: simulator.app.secret,
    pushEndpoint: simulator.origin,
    authEndpoint: simulator.authEndpoint,
    ca,
    requestTimeoutMs: 1000,
    logger: makeLogger({ level: 'none', file: '' }),
  })
  const tokens = Array.from({ length: REQUESTS * TOKENS }, (_, i) => (i % 50 === 7 ? `illegal-${i}` : `token-${i}`))
  const endings = await sendUntilFinal(
    provider,
    tokens,
    (targets) => ({
      uid: 'u',
      notification: { json: Buffer.from('{"data":"x"}'), headers: new Map() },
      targetKind: 'token',
      targets,
    }),
    TOKENS,
  )
  const reached = countDeliveries(simulator.accepted)
  for (const token of tokens) {
    const ending = endings.get(token)
    const deliveries = reached.get(token) ?? 0
    const maybeDelivered = ending?.maybeDelivered ?? 0
    const isSent = ending?.outcome.kind === 'sent'
    expect(['sent', 'tokenGone', 'rejected']).toContain(ending?.outcome.kind)
    expect(deliveries).toBeGreaterThanOrEqual(isSent ? 1 : 0)
    // A partial success that can't be read (80100000) was delivered to some and is called rejected.
    const isUnreadable = ending?.outcome.kind === 'rejected' && ending.outcome.reason === '80100000'
    expect(deliveries).toBeLessThanOrEqual((isSent || isUnreadable ? 1 : 0) + maybeDelivered)
    if (token.startsWith('illegal')) expect(deliveries).toBe(0)
  }
  await provider.close()
  await stop()
})

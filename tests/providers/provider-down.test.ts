// A provider that does not work, as the operator sees it: the log at level `info`, `/health` and the gauge.
import { once } from 'node:events'
import { appendFile } from 'node:fs/promises'
import { createServer } from 'node:tls'
import { pino } from 'pino'
import { generate } from 'selfsigned'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startFcmSimulator, type TestFcmSimulator } from '../support/fcm-simulator.ts'
import { keepLines, PAYLOAD_MARK } from '../support/run-log.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

const WAIT = { timeout: 30_000, interval: 50 }
const DAY_MS = 86_400_000

let database: TestDatabase
let fcm: TestFcmSimulator
let proxy: TcpProxy
let server: TestAssembly | undefined
let lines: Record<string, unknown>[] = []

beforeEach(async () => {
  ;[database, fcm] = await Promise.all([createTestDatabase(), startFcmSimulator()])
  proxy = await startTcpProxy(Number(new URL(fcm.simulator.origin).port))
  lines = []
})
afterEach(async () => {
  await server?.stop(1000)
  server = undefined
  await proxy.cut()
  await fcm.stop()
  await database.drop()
})

/** Starts a server, and sends a push to each token. */
async function start(
  endpoints: { push_endpoint?: string; auth_endpoint?: string; ca_file?: string },
  tokens: string[],
) {
  const { origin, files } = fcm.simulator
  const logger = pino(
    { level: 'info' },
    keepLines((line) => lines.push(JSON.parse(line))),
  )
  const push_notifications = {
    enabled_providers: ['fcm'],
    fcm: {
      credentials_file: files.credentials,
      ca_file: files.ca,
      push_endpoint: origin,
      auth_endpoint: origin,
      ...endpoints,
    },
  }
  server = await startAssembly(database.dsn, { push_notifications, worker: { retry_scale: 0.02 } }, logger)
  // A start logs how each provider is used.
  lines = []
  const notification = { fcm: { message: { data: { text: PAYLOAD_MARK } } } }
  await server.post('/send_push_notification', { recipient: { fcm_tokens: tokens }, notification })
  return server
}

const outageLines = (event: string) => lines.filter(({ msg }) => msg === `provider: outage ${event}`)
const waitForOutage = () => expect.poll(() => outageLines('began').length, WAIT).toBe(1)

async function listenWith(options: { names: string[]; notAfterDate?: Date }) {
  const altNames = options.names.map((value) => ({ type: 2 as const, value }))
  const made = await generate([{ name: 'commonName', value: 'provider' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - 30 * DAY_MS),
    notAfterDate: options.notAfterDate ?? new Date(Date.now() + DAY_MS),
    extensions: [{ name: 'subjectAltName', altNames }],
  })
  const listening = createServer({ cert: made.cert, key: made.private, ALPNProtocols: ['h2'] })
  listening.on('tlsClientError', () => undefined)
  await once(listening.listen(0, '127.0.0.1'), 'listening')
  const address = listening.address()
  const origin = `https://localhost:${typeof address === 'object' ? address?.port : 0}`
  return { server: listening, origin, cert: made.cert }
}

describe('one line tells the cause and the mend', () => {
  test('of a token endpoint that is a closed port, and another one its end', async () => {
    await proxy.cut()
    const { url } = await start({ auth_endpoint: `https://127.0.0.1:${proxy.port}` }, ['a', 'b'])
    await waitForOutage()
    expect(outageLines('began')).toMatchObject([
      {
        provider: 'fcm',
        origin: `https://127.0.0.1:${proxy.port}`,
        cause: 'the connection is refused (ECONNREFUSED)',
        mend: 'check the endpoint in the configuration, and firewalls and proxies',
      },
    ])
    expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ providers: { fcm: 'down' } })
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^centripush_provider_down\{.*provider="fcm".*\} 1$/m)
    await proxy.mend()
    await fcm.simulator.waitForAccepted(2)
    await expect.poll(() => outageLines('ended').length, WAIT).toBe(1)
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ credentials: { fcm: 'accepted' } })
    expect(await (await fetch(`${url}/metrics`)).text()).not.toMatch(/^centripush_provider_down\{/m)
    // Nothing else of the provider is in the log.
    expect(lines.filter((line) => 'provider' in line || 'origin' in line)).toHaveLength(2)
  })

  test.each([
    ['has expired', { names: ['localhost'], notAfterDate: new Date(Date.now() - DAY_MS) }, /expired/],
    ['has another name', { names: ['push.example.com'] }, /another name/],
  ])('of a certificate that %s', async (_, options, cause) => {
    const { server: peer, origin, cert } = await listenWith(options)
    // Trusted besides the authority of the simulator, so that the certificate has one fault only.
    await appendFile(fcm.simulator.files.ca, `\n${cert}`)
    await start({ push_endpoint: origin }, ['a'])
    await waitForOutage()
    expect(outageLines('began')[0]).toMatchObject({ provider: 'fcm', origin, cause: expect.stringMatching(cause) })
    peer.close()
  })
})

// Broken credentials: each is found before the start, with its option and the mend, and no secret is shown.
import { pino } from 'pino'
import { expect, onTestFinished, test, vi } from 'vitest'
import { proveCredentials } from '../../src/assemble/prove-credentials.ts'
import { ConfigError } from '../../src/config/config-error.ts'
import { parseConfig } from '../../src/config/load.ts'
import { startAssembly } from '../support/assembly.ts'
import { createTestDatabase } from '../support/database.ts'
import { PUSH_SERVICES } from '../support/push-services.ts'
import { keepLines, makeTestLogger } from '../support/run-log.ts'
import { account, apns, BROKEN, fcmFile, privateKey, type Section, webpush } from './broken-credentials.ts'

async function prove(section: Section, isOnline = false) {
  return await proveCredentials(parseConfig({ push_notifications: section }), makeTestLogger(), isOnline)
}

/** Base64 as the command base64 prints it. */
function inLines(text: string): string {
  return text.replace(/.{76}/g, '$&\n')
}

test.each(BROKEN)('%s of %s is found', async (_what, provider, section, problem) => {
  const options = section()
  const error: unknown = await prove({ [provider]: options }).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(ConfigError)
  expect(error).toMatchObject({ message: expect.stringMatching(problem) })
  expect(error).not.toMatchObject({ message: expect.stringMatching(/PRIVATE KEY|MII/) })
})

test('all broken credentials are reported at once, and stop the start', async () => {
  const database = await createTestDatabase()
  onTestFinished(() => database.drop())
  const push_notifications = {
    fcm: fcmFile({ private_key: privateKey.slice(0, 600) }),
    apns: apns({ token_key_file: '/no/key.p8' }),
  }
  await expect(startAssembly(database.dsn, { push_notifications })).rejects.toThrow(
    /push_notifications.fcm\.credentials_file: .*\n.*push_notifications.apns\.token_key_file: /,
  )
})

test('with lenient the server starts: the provider is paused, and its pushes wait', async () => {
  const database = await createTestDatabase()
  const lines: string[] = []
  const fcm = fcmFile({ private_key: privateKey.slice(0, 600) })
  const logger = pino(
    { level: 'error' },
    keepLines((line) => lines.push(line)),
  )
  const server = await startAssembly(database.dsn, { push_notifications: { lenient: true, fcm } }, logger)
  onTestFinished(async () => {
    await server.stop(1000)
    await database.drop()
  })
  const readHealth = async () => (await fetch(`${server.url}/health`)).json()
  expect(await readHealth()).toEqual({ credentials: { fcm: 'unproven' } })
  const push = { recipient: { fcm_tokens: ['token'] }, notification: { fcm: { message: { data: { a: 'b' } } } } }
  expect(await (await server.post('/send_push_notification', push)).json()).toHaveProperty('result.uid')
  await vi.waitFor(async () => expect(await readHealth()).toEqual({ credentials: { fcm: 'unusable' } }), {
    timeout: 10_000,
  })
  // The pause is stored between the state and its log line.
  await vi.waitFor(() => expect(lines).toHaveLength(2))
  const messages = lines.map((line) => JSON.parse(line))
  expect(messages).toEqual([
    expect.objectContaining({ provider: 'fcm', msg: 'credential: not usable, provider paused' }),
    expect.objectContaining({
      msg: expect.stringContaining('delivery: credential can not be used here'),
      reason: 'credential_unusable',
    }),
  ])
  expect(messages[0].problem).toContain(`push_notifications.fcm.credentials_file: `)
})

test.each([
  ['literal \\n in the key', () => fcmFile({ private_key: privateKey.replaceAll('\n', '\\n') })],
  ['literal \\\\n in the key', () => fcmFile({ private_key: privateKey.replaceAll('\n', '\\\\n') })],
  ['line ends of Windows in the key', () => fcmFile({ private_key: privateKey.replaceAll('\n', '\r\n') })],
  ['a byte order mark', () => ({ credentials_json: `\ufeff${JSON.stringify(account)}` })],
  ['base64 in lines', () => ({ credentials_json: inLines(Buffer.from(JSON.stringify(account)).toString('base64')) })],
  ['the JSON as text', () => ({ credentials_json: JSON.stringify(account) })],
  ['the JSON in base64', () => ({ credentials_json: Buffer.from(JSON.stringify(account)).toString('base64') })],
])('a service account with %s is taken', async (_what, section) => {
  await expect(prove({ fcm: section() })).resolves.toEqual([])
})

test('the providers are asked for their judgement of each credential', async () => {
  const names = ['fcm', 'apns', 'hms'] as const
  const services = await Promise.all(names.map((name) => PUSH_SERVICES[name]()))
  onTestFinished(async () => {
    await Promise.all(services.map((service) => service.stop()))
  })
  const section = {
    ...Object.fromEntries(names.map((name, index) => [name, services[index]?.options])),
    webpush: webpush({}),
  }
  const states = async () =>
    Object.fromEntries((await prove(section, true)).map(({ provider, state }) => [provider, state]))
  expect(await states()).toEqual({ fcm: 'accepted', apns: 'accepted', hms: 'accepted', webpush: 'notAsked' })
  for (const service of services) service.revoke()
  expect(await states()).toEqual({ fcm: 'refused', apns: 'refused', hms: 'refused', webpush: 'notAsked' })
})

test('a provider that can not be asked is told with the cause', async () => {
  const section = { hms: { app_id: '1', app_secret: 's', auth_endpoint: 'https://127.0.0.1:1/token' } }
  expect(await prove(section, true)).toEqual([
    { provider: 'hms', state: 'notAsked', why: expect.stringContaining('the connection is refused (ECONNREFUSED)') },
  ])
})

test('the subject may name a host whose name begins with localhost', async () => {
  await expect(prove({ webpush: webpush({ subject: 'https://localhost.example.com/a@localhost' }) })).resolves.toEqual(
    [],
  )
})

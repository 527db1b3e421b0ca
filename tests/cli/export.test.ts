import { createECDH } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Devices, openDevices } from '../devices/methods.ts'
import { startAssembly, TEST_KEY } from '../support/assembly.ts'
import { makeDirectory, runCommand, startCommand } from './command.ts'

let from: Devices
let to: Devices

beforeEach(async () => {
  from = await openDevices()
  to = await openDevices()
})

afterEach(async () => {
  await from.drop()
  await to.drop()
})

/** Devices and topics of all kinds. */
async function fill(): Promise<void> {
  const point = createECDH('prime256v1').generateKeys('base64url')
  const keys = { p256dh: point, auth: Buffer.alloc(16, 1).toString('base64url') }
  await from.updateUser({ user: 'u', op: 'add', topics: ['of-u'] })
  await from.updateUser({ op: 'add', topics: ['of-everyone'] })
  await from.register({ user: 'u', topics: ['😀', 'own'], meta: { __proto__x: '1', 'a"b': '\\' }, timezone: 'UTC' })
  const subscription = { endpoint: 'https://push.example.com/1', keys }
  await from.register({ provider: 'webpush', platform: 'web', token: JSON.stringify(subscription), locale: 'de' })
  await from.register({ provider: 'hms', token: 'ü'.repeat(2000) })
}

async function everythingOf(devices: Devices) {
  const include = { include_topics: true, include_meta: true, include_webpush_keys: true, limit: 1000 }
  const { items: userTopics } = await devices.listUsers({ limit: 1000 })
  const followed = userTopics.map(({ user = '', topic }) => `${user} ${topic}`).sort()
  return { devices: (await devices.list(include)).items, followed }
}

/** The configuration of a server that accepts the endpoints of these browsers. */
const extra = { webpush: { extra_allowed_endpoint_origins: ['https://push.example.com'] } }

function writeConfig(): string {
  const file = join(makeDirectory(), 'config.json')
  writeFileSync(file, JSON.stringify({ push_notifications: extra }))
  return file
}

test('devices and topics are the same after export and import', async () => {
  await fill()
  const config = writeConfig()
  for (const kind of ['devices', 'user-topics']) {
    const exported = await runCommand(from.dsn, ['export', kind])
    expect(exported).toMatchObject({ code: 0, stderr: expect.stringContaining('written') })
    const imported = await runCommand(to.dsn, ['import', kind, '-', '--config', config], exported.stdout)
    expect(imported).toMatchObject({ code: 0 })
  }
  expect(await everythingOf(to)).toEqual(await everythingOf(from))
})

test('a file appears when it is complete, for its owner only', async () => {
  await from.sql`
    insert into devices (id, created_at, updated_at, registered_at, provider, platform, token)
    select gen_random_uuid(), now(), now(), now(), 1, 2, 't' || n from generate_series(1, 2500) as n`
  const file = join(makeDirectory(), 'devices.ndjson')
  expect(await runCommand(from.dsn, ['export', 'devices', file])).toMatchObject({ code: 0, stdout: '' })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const tokens = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).token)
  expect(new Set(tokens).size).toBe(2500)
})

test('an export ends quietly when its reader has enough', async () => {
  await from.sql`
    insert into devices (id, created_at, updated_at, registered_at, provider, platform, token)
    select gen_random_uuid(), now(), now(), now(), 1, 2, 't' || n from generate_series(1, 20000) as n`
  const child = startCommand(from.dsn, ['export', 'devices'])
  const stderr = text(child.stderr)
  await once(child.stdout, 'data')
  child.stdout.destroy()
  await once(child, 'exit')
  expect({ code: child.exitCode, stderr: await stderr }).toEqual({ code: 0, stderr: '' })
})

test('the lists of a compatible server are imported page by page', async () => {
  await fill()
  await from.sql`
    insert into devices (id, created_at, updated_at, registered_at, provider, platform, token)
    select gen_random_uuid(), now(), now(), now(), 1, 2, 't' || n from generate_series(1, 2500) as n`
  const server = await startAssembly(from.dsn)
  const config = writeConfig()
  for (const kind of ['devices', 'user-topics']) {
    const source = ['--from', `${server.url}/api/`, '--api-key', TEST_KEY]
    expect(await runCommand(to.dsn, ['import', kind, ...source, '--config', config])).toMatchObject({ code: 0 })
  }
  await server.stop(0)
  expect((await everythingOf(to)).devices).toHaveLength(1000)
  expect(await to.list({ include_total_count: true })).toMatchObject({ total_count: 2503 })
  expect(await everythingOf(to)).toEqual(await everythingOf(from))
})

test('a server that fails briefly is asked again, and a later run continues at its cursor', async () => {
  const cursors: string[] = []
  const pages: Record<string, object> = {
    '': { result: { items: [{ provider: 'fcm', platform: 'ios', token: 'a' }], next_cursor: 'one' } },
    one: { result: { items: [{ provider: 'fcm', platform: 'ios', token: 'b' }, { token: 'c' }], next_cursor: 'two' } },
    two: { error: { code: 100, message: 'internal server error' } },
  }
  let isRefusing = false
  const server = createServer(async (request, response) => {
    const body = JSON.parse(Buffer.concat(await request.toArray()).toString())
    cursors.push(body.cursor)
    if (cursors.length === 1) response.writeHead(502).end('Bad Gateway')
    else if (isRefusing && body.cursor === 'two') response.end('{"error":{"code":103,"message":"permission denied"}}')
    else response.end(JSON.stringify(pages[body.cursor]))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/api`
  const [state, rejected] = [join(makeDirectory(), 'state'), join(makeDirectory(), 'rejected')]
  const args = ['import', 'devices', '--from', url, '--api-key', 'k', '--resume', state, '--rejected', rejected]
  isRefusing = true
  expect(await runCommand(to.dsn, args)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('error 103, permission denied; the same command continues from here'),
  })
  expect(cursors).toEqual(['', '', 'one', 'two'])
  pages.two = { result: { items: [{ provider: 'fcm', platform: 'ios', token: 'd' }] } }
  isRefusing = false
  // The line that the first run has rejected counts in the second too.
  expect(await runCommand(to.dsn, args)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^3 devices stored, .*, 1 rejected$/m),
  })
  expect(cursors.slice(4)).toEqual(['two'])
  expect((await to.list({})).items.map(({ token }) => token).sort()).toEqual(['a', 'b', 'd'])
  expect(readFileSync(rejected, 'utf8')).toBe('{"line":3,"reason":"provider: not a provider"}\n')
  server.close()
})

test('a wrong key is reported', async () => {
  const server = await startAssembly(from.dsn)
  const args = ['import', 'devices', '--from', `${server.url}/api`, '--api-key', 'wrong']
  expect(await runCommand(to.dsn, args)).toMatchObject({ code: 1, stderr: expect.stringContaining('HTTP 401') })
  await server.stop(0)
})

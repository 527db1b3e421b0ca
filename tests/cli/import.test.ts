import { createECDH } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Devices, openDevices } from '../devices/methods.ts'
import { makeDirectory, runCommand, startCommand, toLines } from './command.ts'

let devices: Devices

beforeEach(async () => {
  devices = await openDevices()
})

afterEach(() => devices.drop())

const importDevices = (lines: string | object[], ...options: string[]) => {
  const input = typeof lines === 'string' ? lines : toLines(lines)
  return runCommand(devices.dsn, ['import', 'devices', '-', ...options], input)
}

const fcm = (token: string, more: object = {}) => ({ provider: 'fcm', platform: 'android', token, ...more })
/** All devices, sorted by token: ids of the same millisecond have no order. */
async function all() {
  const { items } = await devices.list({
    include_topics: true,
    include_meta: true,
    include_webpush_keys: true,
    limit: 1000,
  })
  return items.sort((a, b) => (a.token < b.token ? -1 : 1))
}

const ID = '01ARZ3NDEKTSV4RRFFQ69G5FAV-fcm'
const OTHER_ID = '01ARZ3NDEKTSV4RRFFQ69G5FAW-fcm'

test('a device keeps its id, its times and all other fields of its line', async () => {
  const device = {
    ...fcm('a', { id: ID, user: 'u', topics: ['x', 'y'], timezone: 'Europe/Berlin', locale: 'de', meta: { k: 'v' } }),
    created_at: 1_600_000_000,
    updated_at: 1_700_000_000,
  }
  expect(await importDevices([device])).toMatchObject({ code: 0, stdout: '' })
  expect(await all()).toEqual([device])
})

test('a line without times and topics makes a device with the current time and the topics of its user', async () => {
  await devices.updateUser({ user: 'u', op: 'add', topics: ['of-u'] })
  await devices.updateUser({ user: '', op: 'add', topics: ['of-all'] })
  const before = Math.floor(Date.now() / 1000)
  expect(await importDevices([fcm('a', { user: 'u' }), fcm('b', { topics: ['own'] })])).toMatchObject({ code: 0 })
  const [a, b] = await all()
  expect(a).toMatchObject({ token: 'a', topics: ['of-all', 'of-u'] })
  expect(b).toMatchObject({ token: 'b', topics: ['of-all', 'own'] })
  expect(a?.created_at).toBeGreaterThanOrEqual(before)
  expect(a?.updated_at).toBe(a?.created_at)
})

test('importing the same lines again changes nothing, with and without ids', async () => {
  const lines = [fcm('a', { id: ID, topics: ['x'] }), fcm('b', { topics: ['x'] })]
  await importDevices(lines)
  const first = (await all()).map(({ id, token, topics }) => ({ id, token, topics }))
  expect(first).toHaveLength(2)
  await importDevices(lines)
  expect(await all()).toMatchObject(first)
  expect((await devices.listTopics({})).items).toHaveLength(2)
})

test('a line replaces topics and meta of its device, and removes another device with the same token', async () => {
  const old = await devices.register({ token: 'a', topics: ['gone', 'stays'], meta: { k: 'v' }, locale: 'de' })
  await importDevices([fcm('a', { id: ID, topics: ['stays'] }), fcm('b', { id: OTHER_ID, topics: ['old'] })])
  expect(await devices.find(old)).toBeUndefined()
  expect(await devices.find(ID)).toEqual({
    ...fcm('a', { id: ID, topics: ['stays'] }),
    created_at: expect.any(Number),
    updated_at: expect.any(Number),
  })
  await importDevices([fcm('b', { id: OTHER_ID, topics: ['new'] })])
  expect(await devices.find(OTHER_ID)).toMatchObject({ topics: ['new'] })
})

test('a device that is newer here than its line is kept unchanged', async () => {
  const mine = await devices.register({ token: 'a', user: 'here' })
  const result = await importDevices([
    fcm('a', { user: 'there', updated_at: 1_700_000_000 }),
    fcm('a', { id: ID, user: 'there', updated_at: 1_700_000_000 }),
  ])
  expect(result).toMatchObject({ code: 0, stderr: expect.stringContaining('0 devices stored, 2 kept unchanged') })
  expect(await all()).toMatchObject([{ id: mine, user: 'here' }])
})

test('of two lines for one device the later one is stored', async () => {
  await importDevices([fcm('a', { user: '1' }), fcm('b', { id: ID }), fcm('a', { user: '2' }), fcm('c', { id: ID })])
  expect((await all()).map(({ token, user = '' }) => `${token}${user}`).sort()).toEqual(['a2', 'c'])
})

test('two devices with swapped tokens are stored as in their lines', async () => {
  await importDevices([fcm('a', { id: ID, topics: ['x'] }), fcm('b', { id: OTHER_ID, topics: ['y'] })])
  await importDevices([fcm('b', { id: ID, topics: ['x'] }), fcm('a', { id: OTHER_ID, topics: ['y'] })])
  expect(await all()).toMatchObject([
    { id: OTHER_ID, token: 'a', topics: ['y'] },
    { id: ID, token: 'b', topics: ['x'] },
  ])
})

test('a Web Push device is stored from a subscription, and from an endpoint with separate keys', async () => {
  const point = createECDH('prime256v1').generateKeys('base64url')
  const keys = { p256dh: point, auth: Buffer.alloc(16, 1).toString('base64url') }
  const webpush = { provider: 'webpush', platform: 'web' }
  const [one, two] = ['https://fcm.googleapis.com/1', 'https://fcm.googleapis.com/2']
  const result = await importDevices([
    { ...webpush, token: JSON.stringify({ endpoint: one, keys }) },
    { ...webpush, token: two, webpush_keys: JSON.stringify(keys) },
    { ...webpush, token: two },
    { ...webpush, token: 'https://10.0.0.1/x', webpush_keys: JSON.stringify(keys) },
  ])
  expect(result.stderr).toContain('line 4: token: the endpoint is an IP address')
  expect(await all()).toMatchObject([one, two].map((token) => ({ token, webpush_keys: JSON.stringify(keys) })))
})

test('a wrong line is reported with number and reason, and the other lines are stored', async () => {
  const rejected = join(makeDirectory(), 'rejected')
  await devices.register({ provider: 'hms', token: 'x', id: '01ARZ3NDEKTSV4RRFFQ69G5FAV-hms' })
  const secret = 'a-token-that-nobody-may-read'
  const lines = [
    JSON.stringify(fcm('a')),
    `{"provider":"fcm","token":"${secret}"`,
    JSON.stringify(fcm(secret, { timezone: 'Berlin' })),
    '',
    JSON.stringify(fcm(secret, { id: ID })),
    JSON.stringify(fcm(secret, { created_at: 1_700_000_000_000 })),
    `{"provider":"fcm","platform":"ios","token":"${'x'.repeat(1024 * 1024)}"}`,
    JSON.stringify(fcm('b')),
    '{"provider":"fcm","platform":"ios","token":5}',
    JSON.stringify(fcm('c')),
  ]
  const result = await importDevices(lines.join('\n'), '--rejected', rejected)
  expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('3 devices stored, 0 kept unchanged') })
  expect(
    readFileSync(rejected, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { line: 2, reason: expect.stringContaining('at byte') },
    { line: 3, reason: 'timezone: not an IANA time zone' },
    { line: 5, reason: 'id: belongs to a device of another provider' },
    { line: 6, reason: 'created_at: not a Unix time in seconds' },
    { line: 7, reason: 'too long for a record' },
    { line: 9, reason: expect.stringContaining('token: ') },
  ])
  expect(result.stderr + readFileSync(rejected, 'utf8')).not.toContain(secret)
  expect((await all()).map(({ token }) => token).sort()).toEqual(['a', 'b', 'c', 'x'])
})

test('the other lines are stored too when only the database refuses a line', async () => {
  await devices.sql`alter table devices add constraint no_b check (token <> 'b')`
  const result = await importDevices([fcm('a'), fcm('b'), fcm('c')])
  expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('line 2: database: 23514') })
  expect((await all()).map(({ token }) => token).sort()).toEqual(['a', 'c'])
})

/** Enough for several batches. */
const many = (count: number) =>
  Array.from({ length: count }, (_, index) => fcm(`t${index}`, { topics: [`x${index % 3}`] }))

test('an import that was killed continues behind the stored lines, and no line is missing', async () => {
  const directory = makeDirectory()
  const [file, state] = [join(directory, 'devices.ndjson'), join(directory, 'state')]
  writeFileSync(file, toLines(many(20_000)))
  const args = ['import', 'devices', file, '--resume', state]
  const killed = startCommand(devices.dsn, args)
  await expect.poll(() => existsSync(state), { timeout: 30_000, interval: 5 }).toBe(true)
  killed.kill('SIGKILL')
  await once(killed, 'close')
  // Done by then, or there would be nothing to go on with.
  const { position } = JSON.parse(readFileSync(state, 'utf8'))
  expect(position.line).toBeLessThan(20_000)
  const result = await runCommand(devices.dsn, args)
  // On a slow machine a line with the progress is between the two.
  expect(result.stderr).toContain(`continuing after line ${position.line}\n`)
  expect(result.stderr).toMatch(/^20000 devices stored/m)
  expect(result.code).toBe(0)
  expect(await devices.list({ include_total_count: true, limit: 1 })).toMatchObject({ total_count: 20_000 })
  expect(existsSync(state)).toBe(false)
})

test('SIGTERM ends an import between two batches', async () => {
  const directory = makeDirectory()
  const [file, state] = [join(directory, 'devices.ndjson'), join(directory, 'state')]
  writeFileSync(file, toLines(many(30_000)))
  const stopped = startCommand(devices.dsn, ['import', 'devices', file, '--resume', state])
  await expect.poll(() => existsSync(state), { timeout: 30_000, interval: 5 }).toBe(true)
  stopped.kill('SIGTERM')
  await once(stopped, 'close')
  expect(stopped.exitCode).toBe(1)
  const { position } = JSON.parse(readFileSync(state, 'utf8'))
  expect(await devices.list({ include_total_count: true, limit: 1 })).toMatchObject({ total_count: position.line })
})

test('lines rejected before an interruption count for the end of the import', async () => {
  const directory = makeDirectory()
  const [file, state] = [join(directory, 'devices.ndjson'), join(directory, 'state')]
  const rejected = join(directory, 'rejected.ndjson')
  writeFileSync(file, toLines([fcm(''), ...many(30_000)]))
  const args = ['import', 'devices', file, '--resume', state, '--rejected', rejected]
  const stopped = startCommand(devices.dsn, args)
  await expect.poll(() => existsSync(state), { timeout: 30_000, interval: 5 }).toBe(true)
  stopped.kill('SIGTERM')
  await once(stopped, 'close')
  expect(existsSync(state)).toBe(true)
  const result = await runCommand(devices.dsn, args)
  expect(result.stderr).toMatch(/^30000 devices stored.*\b1 rejected/m)
  expect(result.code).toBe(1)
  expect(readFileSync(rejected, 'utf8')).toMatch(/^\{"line":1,.*\}\n$/)
})

test('a state is valid only for its own source, also for standard input', async () => {
  const state = join(makeDirectory(), 'state')
  const lines = toLines(many(1500))
  const at = Buffer.byteLength(toLines(many(1000)))
  writeFileSync(state, JSON.stringify({ source: 'standard input', position: { at, line: 1000 } }))
  expect((await importDevices(lines, '--resume', state)).stderr).toContain('500 devices stored')
  writeFileSync(state, JSON.stringify({ source: 'another', position: { at, line: 1000 } }))
  expect(await importDevices(lines, '--resume', state)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('belongs to another import'),
  })
})

test('topics of users reach their devices, whichever is imported first', async () => {
  const before = await devices.register({ user: 'u', topics: ['own'] })
  const lines = toLines([
    { user: 'u', topic: 'a' },
    { user: 'u', topic: '' },
    { user: 'w', topic: 'b' },
    { topic: 'everyone' },
  ])
  const result = await runCommand(devices.dsn, ['import', 'user-topics', '-'], lines)
  expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('line 2: topic: must not be empty') })
  const after = await devices.register({ user: 'w' })
  expect(await devices.find(before)).toMatchObject({ topics: ['a', 'own'] })
  expect(await devices.find(after)).toMatchObject({ topics: ['b', 'everyone'] })
  expect((await devices.listUsers({})).items).toHaveLength(3)
})

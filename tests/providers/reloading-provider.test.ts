// Credentials that change while the server runs. Kubernetes changes a mounted secret in this way: it replaces a
// symbolic link to the directory of the file.
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { parseConfig } from '../../src/config/load.ts'
import { FcmProvider } from '../../src/providers/fcm/fcm.ts'
import { loadFcmAccount } from '../../src/providers/fcm/load-account.ts'
import type { Outcome, Provider } from '../../src/providers/provider.ts'
import { ReloadingProvider } from '../../src/providers/reloading-provider.ts'
import { UnusableProvider } from '../../src/providers/unusable-provider.ts'
import { startFcmSimulator, type TestFcmSimulator } from '../support/fcm-simulator.ts'
import { keepLines } from '../support/run-log.ts'

const NEVER = new AbortController().signal

let directory: string
let fcm: TestFcmSimulator
let otherProject: TestFcmSimulator
let provider: ReloadingProvider
let logged: string[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'centripush-secret-'))
  ;[fcm, otherProject] = await Promise.all([startFcmSimulator({ slowMs: 300 }), startFcmSimulator()])
  logged = []
})
afterEach(async () => {
  await provider.close()
  await Promise.all([fcm.stop(), otherProject.stop()])
  await rm(directory, { recursive: true })
})

/** Replaces the file of the secret by one that `fill` writes. */
async function swapSecret(version: string, fill: (file: string) => Promise<unknown>): Promise<void> {
  const versionDirectory = join(directory, version)
  await mkdir(versionDirectory)
  await fill(join(versionDirectory, 'service-account.json'))
  await symlink(versionDirectory, join(directory, 'new'))
  await rename(join(directory, 'new'), join(directory, 'current'))
}

async function startProvider(makeFirst?: () => Promise<Provider>): Promise<void> {
  const file = join(directory, 'current', 'service-account.json')
  const logger = pino(
    { level: 'info' },
    keepLines((line) => logged.push(line)),
  )
  const section = parseConfig({ push_notifications: { fcm: { credentials_file: file } } }).push_notifications.fcm
  provider = await ReloadingProvider.start({
    files: [file],
    intervalMs: 20,
    logger,
    ...(makeFirst && { makeFirst }),
    make: async () =>
      new FcmProvider({
        account: await loadFcmAccount(section, fcm.ca),
        pushEndpoint: fcm.simulator.origin,
        authEndpoint: fcm.simulator.origin,
        ca: fcm.ca,
        logger,
      }),
  })
}

async function send(target: string): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const notification = { json: Buffer.from('{}'), headers: new Map() }
  const batch = { uid: 'u', notification, targetKind: 'token' as const, targets: [target] }
  await provider.send(batch, (_, outcome) => outcomes.push(outcome), NEVER)
  return outcomes
}

const waitForLog = (text: string) => vi.waitFor(() => expect(logged.join('')).toContain(text), { timeout: 10_000 })

test('a changed credential is used for new sends, and sends in progress end with the previous one', async () => {
  await swapSecret('1', (file) => copyFile(fcm.simulator.files.credentials, file))
  await startProvider()
  await send('device-1')
  const slow = send('slow-one')
  // The same account in a file with other contents, as after the rotation of its key.
  await swapSecret('2', async (file) => {
    const account: object = JSON.parse(await readFile(fcm.simulator.files.credentials, 'utf8'))
    await writeFile(file, JSON.stringify({ ...account, private_key_id: 'rotated' }))
  })
  await waitForLog('new credential in use')
  expect(await send('device-2')).toMatchObject([{ kind: 'sent' }])
  expect(await slow).toMatchObject([{ kind: 'sent' }])
  expect(fcm.simulator.tokenRequests).toBe(2)
})

test('a credential that could not be used at the start is used as soon as its file is mended', async () => {
  await swapSecret('1', (file) => writeFile(file, 'broken'))
  await startProvider(async () => new UnusableProvider('fcm'))
  expect(await send('a')).toMatchObject([{ kind: 'credential', reason: 'credential_unusable' }])
  await swapSecret('2', (file) => copyFile(fcm.simulator.files.credentials, file))
  await waitForLog('new credential in use')
  expect(await send('b')).toMatchObject([{ kind: 'sent' }])
})

test('a wrong credential is replaced by changing its file', async () => {
  await swapSecret('1', (file) => copyFile(otherProject.simulator.files.credentials, file))
  await startProvider()
  expect(await send('a')).toMatchObject([{ kind: 'credential' }])
  await swapSecret('2', (file) => copyFile(fcm.simulator.files.credentials, file))
  await waitForLog('new credential in use')
  expect(await send('b')).toMatchObject([{ kind: 'sent' }])
})

test('a file without a valid credential leaves the previous one in use, and is logged once', async () => {
  await swapSecret('1', (file) => copyFile(fcm.simulator.files.credentials, file))
  await startProvider()
  await swapSecret('2', (file) => writeFile(file, '{"type":"service_account","private_key":"half a sec'))
  await waitForLog('previous one in use')
  expect(await send('a')).toMatchObject([{ kind: 'sent' }])
  await swapSecret('3', (file) => copyFile(fcm.simulator.files.credentials, file))
  await waitForLog('new credential in use')
  expect(logged.filter((line) => line.includes('previous one in use'))).toHaveLength(1)
  expect(logged.join('')).not.toContain('half a sec')
})

// Credentials that change while the server runs, as Kubernetes changes a mounted secret: the file is behind a link to the
// directory it is in, and that link is swapped.
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FcmProvider } from '../../src/providers/fcm/fcm.ts'
import { loadServiceAccount } from '../../src/providers/fcm/service-account.ts'
import type { Outcome } from '../../src/providers/provider.ts'
import { ReloadingProvider } from '../../src/providers/reloading-provider.ts'
import { startFcmSimulator, type TestFcmSimulator } from '../support/fcm-simulator.ts'
import { keepLines } from '../support/run-log.ts'

const NEVER = new AbortController().signal

let directory: string
let fcm: TestFcmSimulator
let stranger: TestFcmSimulator
let provider: ReloadingProvider
let logged: string[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'centripush-secret-'))
  ;[fcm, stranger] = await Promise.all([startFcmSimulator({ slowMs: 300 }), startFcmSimulator()])
  logged = []
})
afterEach(async () => {
  await provider.close()
  await Promise.all([fcm.stop(), stranger.stop()])
  await rm(directory, { recursive: true })
})

/** Makes `content` what the secret holds from now on. */
async function swapSecret(version: string, fill: (file: string) => Promise<unknown>): Promise<void> {
  const versionDirectory = join(directory, version)
  await mkdir(versionDirectory)
  await fill(join(versionDirectory, 'service-account.json'))
  await symlink(versionDirectory, join(directory, 'new'))
  await rename(join(directory, 'new'), join(directory, 'current'))
}

async function startProvider(): Promise<void> {
  const file = join(directory, 'current', 'service-account.json')
  const logger = pino(
    { level: 'info' },
    keepLines((line) => logged.push(line)),
  )
  provider = await ReloadingProvider.start({
    files: [file],
    intervalMs: 20,
    logger,
    make: async () =>
      new FcmProvider({
        serviceAccount: await loadServiceAccount(file),
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

test('a credential that is changed is taken up, and what is being sent with the old one ends well', async () => {
  await swapSecret('1', (file) => copyFile(fcm.simulator.files.credentials, file))
  await startProvider()
  await send('device-1')
  const slow = send('slow-one')
  // The same account in another file, as after a rotation of its key.
  await swapSecret('2', async (file) => {
    const account: object = JSON.parse(await readFile(fcm.simulator.files.credentials, 'utf8'))
    await writeFile(file, JSON.stringify({ ...account, private_key_id: 'rotated' }))
  })
  await waitForLog('taken up')
  expect(await send('device-2')).toMatchObject([{ kind: 'sent' }])
  expect(await slow).toMatchObject([{ kind: 'sent' }])
  expect(fcm.simulator.tokenRequests).toBe(2)
})

test('a wrong credential is mended by changing its file', async () => {
  await swapSecret('1', (file) => copyFile(stranger.simulator.files.credentials, file))
  await startProvider()
  expect(await send('a')).toMatchObject([{ kind: 'credential' }])
  await swapSecret('2', (file) => copyFile(fcm.simulator.files.credentials, file))
  await waitForLog('taken up')
  expect(await send('b')).toMatchObject([{ kind: 'sent' }])
})

test('a file that is no credential leaves the old one in use, and is told once', async () => {
  await swapSecret('1', (file) => copyFile(fcm.simulator.files.credentials, file))
  await startProvider()
  await swapSecret('2', (file) => writeFile(file, '{"type":"service_account","private_key":"half a sec'))
  await waitForLog('the old ones stay')
  expect(await send('a')).toMatchObject([{ kind: 'sent' }])
  await swapSecret('3', (file) => copyFile(fcm.simulator.files.credentials, file))
  await waitForLog('taken up')
  expect(logged.filter((line) => line.includes('the old ones stay'))).toHaveLength(1)
  expect(logged.join('')).not.toContain('half a sec')
})

// `worker.processes`, with real processes.
import { execFile } from 'node:child_process'
import { getPriority } from 'node:os'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type CentripushProcess, startCentripush } from '../support/centripush-process.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startFcmSimulator, type TestFcmSimulator } from '../support/fcm-simulator.ts'

const LONG = { timeout: 30_000, interval: 50 }
const KEY = 'key-of-the-clients'

let database: TestDatabase
let fcm: TestFcmSimulator
let server: CentripushProcess

beforeEach(async () => {
  ;[database, fcm] = await Promise.all([createTestDatabase(), startFcmSimulator()])
  const { origin, files } = fcm.simulator
  const credentials = { credentials_file: files.credentials, ca_file: files.ca }
  server = await startCentripush({
    http_api: { key: KEY },
    database: { postgresql: { dsn: database.dsn } },
    push_notifications: { fcm: { ...credentials, push_endpoint: origin, auth_endpoint: origin } },
    worker: { processes: 2, lease: '1500ms', heartbeat: '500ms' },
  })
})
afterEach(async () => {
  await server.stop()
  await fcm.stop()
  await database.drop()
})

async function send(...tokens: string[]): Promise<void> {
  const response = await fetch(`${server.url}/api/send_push_notification`, {
    method: 'POST',
    headers: { 'x-api-key': KEY },
    body: JSON.stringify({ recipient: { fcm_tokens: tokens }, notification: { fcm: { message: {} } } }),
  })
  expect(response.status).toBe(200)
}

async function listWorkers(): Promise<number[]> {
  // Without any it exits with 1.
  const { stdout } = await promisify(execFile)('pgrep', ['-P', String(server.pid), '-f', 'worker-process']).catch(
    () => ({ stdout: '' }),
  )
  return stdout.split('\n').filter(Boolean).map(Number)
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const waitForWorkers = () =>
  vi.waitFor(async () => {
    const pids = await listWorkers()
    expect(pids).toHaveLength(3)
    return pids
  }, LONG)

test('sends from its worker processes, and serves their metrics together with its own', async () => {
  await waitForWorkers()
  await send('a', 'b', 'c')
  await fcm.simulator.waitForAccepted(3)
  await vi.waitFor(async () => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    expect(metrics).toMatch(/centrifugo_push_notification_count\{provider="fcm".*success="true".*\} 3\n/)
  }, LONG)
})

test('restarts a killed worker process, and sends in the meantime', async () => {
  const [doomed = 0, other] = await waitForWorkers()
  process.kill(doomed, 'SIGKILL')
  await send('a')
  await fcm.simulator.waitForAccepted(1)
  const pids = await vi.waitFor(async () => {
    const now = await waitForWorkers()
    expect(now).not.toContain(doomed)
    return now
  }, LONG)
  expect(pids).toContain(other)
})

test('sends to a single phone while the processes of broadcasts hang', async () => {
  const pids = await waitForWorkers()
  // Those of broadcasts stand back.
  const ofBroadcasts = await vi.waitFor(() => {
    const nice = pids.filter((pid) => getPriority(pid) > 0)
    expect(nice).toHaveLength(2)
    return nice
  }, LONG)
  for (const pid of ofBroadcasts) process.kill(pid, 'SIGSTOP')
  await send('a')
  await fcm.simulator.waitForAccepted(1)
  for (const pid of ofBroadcasts) process.kill(pid, 'SIGCONT')
})

test('leaves no process behind after a stop', async () => {
  const pids = await waitForWorkers()
  expect(await server.stop()).toBe(0)
  expect(pids.filter(isRunning)).toEqual([])
})

test('leaves no process behind after it was killed', async () => {
  const pids = await waitForWorkers()
  await server.kill()
  await vi.waitFor(() => expect(pids.filter(isRunning)).toEqual([]), LONG)
})

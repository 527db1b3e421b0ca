// `worker.processes` with real processes. The tests share a server, because each start takes four processes.
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { getPriority } from 'node:os'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type CentripushProcess, startCentripush } from '../support/centripush-process.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startFcmSimulator, type TestFcmSimulator } from '../support/fcm-simulator.ts'

const LONG = { timeout: 30_000, interval: 50 }
const KEY = 'key-of-the-clients'
/** Two processes for all sends, and one for small sends. */
const WORKERS = 3

let database: TestDatabase
let fcm: TestFcmSimulator
let server: CentripushProcess

beforeAll(async () => {
  ;[database, fcm] = await Promise.all([createTestDatabase(), startFcmSimulator()])
  server = await startServer()
})
afterAll(async () => {
  await server.stop()
  await fcm.stop()
  await database.drop()
})

function startServer(): Promise<CentripushProcess> {
  const { origin, files } = fcm.simulator
  const credentials = { credentials_file: files.credentials, ca_file: files.ca }
  return startCentripush({
    http_api: { key: KEY },
    database: { postgresql: { dsn: database.dsn } },
    push_notifications: { fcm: { ...credentials, push_endpoint: origin, auth_endpoint: origin } },
    worker: { processes: 2, lease: '1500ms', heartbeat: '500ms' },
  })
}

/** Sends to tokens, and resolves when FCM has accepted the pushes. */
async function send(...tokens: string[]): Promise<void> {
  const before = fcm.simulator.accepted.length
  const response = await fetch(`${server.url}/api/send_push_notification`, {
    method: 'POST',
    headers: { 'x-api-key': KEY },
    body: JSON.stringify({ recipient: { fcm_tokens: tokens }, notification: { fcm: { message: {} } } }),
  })
  expect(response.status).toBe(200)
  await fcm.simulator.waitForAccepted(before + tokens.length)
}

async function listWorkers(): Promise<number[]> {
  // Without a match pgrep exits with 1.
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
    expect(pids).toHaveLength(WORKERS)
    return pids
  }, LONG)

test('worker processes send, and the server shows their metrics as its own', async () => {
  await waitForWorkers()
  await send('a', 'b', 'c')
  await vi.waitFor(async () => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    expect(metrics).toMatch(/centrifugo_push_notification_count\{provider="fcm".*success="true".*\} 3\n/)
  }, LONG)
})

test('sums in metrics do not fall while worker processes hang, nor when they are killed', async () => {
  const countPushes = async () => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    return Number(/centrifugo_push_notification_count\{provider="fcm".*success="true".*\} (\d+)\n/.exec(metrics)?.[1])
  }
  const before = await countPushes()
  expect(before).toBeGreaterThan(0)
  const pids = await waitForWorkers()
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  expect(await countPushes()).toBe(before)
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  await vi.waitFor(async () => expect((await waitForWorkers()).filter((pid) => pids.includes(pid))).toEqual([]), LONG)
  expect(await countPushes()).toBe(before)
})

test.runIf(process.platform === 'linux')(
  'all threads of the processes of broadcasts have a lower priority',
  async () => {
    const pids = await waitForWorkers()
    const ofBroadcasts = pids.filter((pid) => getPriority(pid) > getPriority())
    expect(ofBroadcasts).toHaveLength(2)
    for (const pid of ofBroadcasts) {
      const threads = readdirSync(`/proc/${pid}/task`).map((thread) => getPriority(Number(thread)))
      expect(threads.length).toBeGreaterThan(1)
      expect(new Set(threads)).toEqual(new Set([getPriority(pid)]))
    }
  },
)

test('a small send is delivered while the processes of broadcasts are stopped', async () => {
  const pids = await waitForWorkers()
  // The processes of broadcasts have a lower priority.
  const ofBroadcasts = await vi.waitFor(() => {
    const nice = pids.filter((pid) => getPriority(pid) > getPriority())
    expect(nice).toHaveLength(2)
    return nice
  }, LONG)
  for (const pid of ofBroadcasts) process.kill(pid, 'SIGSTOP')
  await send('a').finally(() => {
    for (const pid of ofBroadcasts) process.kill(pid, 'SIGCONT')
  })
})

test('a killed worker process is replaced, and the others send meanwhile', async () => {
  const [victim = 0, other] = await waitForWorkers()
  process.kill(victim, 'SIGKILL')
  await send('a')
  const pids = await vi.waitFor(async () => {
    const now = await waitForWorkers()
    expect(now).not.toContain(victim)
    return now
  }, LONG)
  expect(pids).toContain(other)
})

test('a stopped server leaves no process behind', async () => {
  const pids = await waitForWorkers()
  expect(await server.stop()).toBe(0)
  expect(pids.filter(isRunning)).toEqual([])
})

test('a killed server leaves no process behind', async () => {
  server = await startServer()
  const pids = await waitForWorkers()
  await server.kill()
  await vi.waitFor(() => expect(pids.filter(isRunning)).toEqual([]), LONG)
})

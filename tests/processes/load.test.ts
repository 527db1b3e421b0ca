// The default of `worker.processes`: the server sends alone until there is a load.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startCentripush } from '../support/centripush-process.ts'
import { createTestDatabase } from '../support/database.ts'
import { startFcmSimulator } from '../support/fcm-simulator.ts'

const LONG = { timeout: 30_000, interval: 50 }
const KEY = 'key-of-the-clients'

async function listWorkers(pid: number): Promise<number[]> {
  // Without a match pgrep exits with 1.
  const found = await promisify(execFile)('pgrep', ['-P', String(pid), '-f', 'worker-process']).catch(() => undefined)
  return found ? found.stdout.split('\n').filter(Boolean).map(Number) : []
}

async function countWorkers(pid: number): Promise<number> {
  return (await listWorkers(pid)).length
}

test('a server sends alone, starts worker processes for a broadcast, and sends when they are killed', async () => {
  const [database, fcm] = await Promise.all([createTestDatabase(), startFcmSimulator()])
  onTestFinished(async () => {
    await fcm.stop()
    await database.drop()
  })
  const { origin, files } = fcm.simulator
  const credentials = { credentials_file: files.credentials, ca_file: files.ca }
  const server = await startCentripush({
    http_api: { key: KEY },
    database: { postgresql: { dsn: database.dsn } },
    push_notifications: { fcm: { ...credentials, push_endpoint: origin, auth_endpoint: origin } },
    worker: { processes: undefined },
  })
  onTestFinished(async () => void (await server.stop()))
  const send = async (tokens: string[]) => {
    const before = fcm.simulator.accepted.length
    const body = { recipient: { fcm_tokens: tokens }, notification: { fcm: { message: {} } } }
    const response = await fetch(`${server.url}/api/send_push_notification`, {
      method: 'POST',
      headers: { 'x-api-key': KEY },
      body: JSON.stringify(body),
    })
    expect(response.status).toBe(200)
    await fcm.simulator.waitForAccepted(before + tokens.length)
  }
  await send(['alone'])
  expect(await countWorkers(server.pid)).toBe(0)
  await send(Array.from({ length: 3000 }, (_, index) => `token-${index}`))
  await vi.waitFor(async () => expect(await countWorkers(server.pid)).toBeGreaterThan(1), LONG)
  await vi.waitFor(async () => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    expect(metrics).toMatch(/centrifugo_push_notification_count\{provider="fcm".*success="true".*\} 3001\n/)
  }, LONG)
  // Processes that are killed before they are ready never send, so this one would not have to take over.
  await vi.waitFor(() => expect(server.output.stdout).toContain('worker processes: ready'), LONG)
  await vi.waitFor(async () => {
    for (const worker of await listWorkers(server.pid)) process.kill(worker, 'SIGKILL')
    expect(server.output.stdout).toContain('worker processes: none is left')
  }, LONG)
  await send(['after the kill'])
})

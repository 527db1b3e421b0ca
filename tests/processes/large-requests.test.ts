import { readdirSync } from 'node:fs'
import { getPriority } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runProgram } from '../../src/database/postgres-programs.ts'
import { LARGE_BODY_BYTES } from '../../src/server/body-budget.ts'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { answerWith, startNode, type TestNode } from '../support/edge.ts'

const FUTURE = 2_000_000_000
/** An unknown field, so that any request is large. */
const PADDING = { unknown: 'x'.repeat(LARGE_BODY_BYTES) }
const NOTIFICATION = { fcm: { message: {} } }

let database: TestDatabase
let node: TestNode
let server: TestAssembly

beforeAll(async () => {
  database = await createTestDatabase()
  node = await startNode(({ url }, outgoing) =>
    answerWith(outgoing, url === '/api/batch' ? '{"replies":[{"publish":{"offset":7}}]}' : '{"result":{}}'),
  )
  server = await startAssembly(database.dsn, { upstream: { address: node.address } })
})
afterAll(async () => {
  await server.stop(0)
  await node.stop()
  await database.drop()
})

/** The processes for large requests of this process. */
async function findProcesses(): Promise<number[]> {
  const { output } = await runProgram('ps', ['-A', '-o', 'pid=,ppid=,args='])
  return output
    .split('\n')
    .filter((line) => line.includes(' large-request-process'))
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid, parent]) => (pid !== undefined && parent === process.pid ? [pid] : []))
}

describe('a large request', () => {
  test('is answered by another process, which starts with it', async () => {
    expect(await findProcesses()).toEqual([])
    const answer = await server.post('/cancel_push', { uid: 'u', ...PADDING })
    expect(await answer.json()).toEqual({ result: {} })
    expect(await findProcesses()).toHaveLength(1)
  })

  test.runIf(process.platform === 'linux')('is decoded at a lower priority by all threads of its process', async () => {
    await server.post('/cancel_push', { uid: 'u', ...PADDING })
    const [pid = 0] = await findProcesses()
    const threads = readdirSync(`/proc/${pid}/task`).map((thread) => getPriority(Number(thread)))
    expect(threads.length).toBeGreaterThan(1)
    expect(new Set(threads)).toEqual(new Set([getPriority() + 5]))
  })

  test('stores all of its tokens', async () => {
    const tokens = Array.from({ length: 10_000 }, (_, index) => `token-${index}`.padEnd(60, '-'))
    const answer = await server.post('/send_push_notification', {
      uid: 'all',
      send_at: FUTURE,
      recipient: { fcm_tokens: tokens },
      notification: NOTIFICATION,
    })
    expect(await answer.json()).toEqual({ result: { uid: 'all' } })
    const [row] = await database.sql`
      select convert_from(recipient, 'UTF8')::json->'values' as values from push_sends where uid = 'all'`
    expect(row?.values).toEqual(tokens)
  })

  test('counts in the metrics of the server', async () => {
    const readCount = async () => {
      const text = await (await fetch(`${server.url}/metrics`)).text()
      return Number(/^centrifugo_push_scheduled_request_count\{recipient_type="token"\} (\d+)$/m.exec(text)?.[1] ?? 0)
    }
    const before = await readCount()
    const recipient = { fcm_tokens: ['t'] }
    await server.post('/send_push_notification', { send_at: FUTURE, recipient, notification: NOTIFICATION, ...PADDING })
    await expect.poll(readCount).toBe(before + 1)
  })

  test('has the answer of a small one when it is refused', async () => {
    const headers = { 'x-centrifugo-error-mode': 'transport' }
    for (const request of [{ uid: '' }, { uid: 1 }]) {
      const [small, large] = await Promise.all([
        server.post('/cancel_push', request, headers),
        server.post('/cancel_push', { ...request, ...PADDING }, headers),
      ])
      expect(large.status).toBe(small.status)
      expect(await large.text()).toBe(await small.text())
    }
  })

  test('goes to the node unchanged when it is a batch without a push command', async () => {
    const body = JSON.stringify({ commands: [{ publish: { channel: 'c', data: PADDING } }] })
    const answer = await server.post('/batch', body)
    expect(await answer.json()).toEqual({ replies: [{ publish: { offset: 7 } }] })
    expect(node.requests.at(-1)?.body).toBe(body)
  })

  test('is a mixed batch or legacy commands as well', async () => {
    const commands = [{ cancel_push: { uid: 'u' } }, { publish: { channel: 'c', data: PADDING } }]
    const batch = await server.post('/batch', { commands })
    expect(await batch.json()).toEqual({ replies: [{ cancel_push: {} }, { publish: { offset: 7 } }] })
    const legacy = await server.post('', { id: 1, method: 'cancel_push', params: { uid: 'u', ...PADDING } })
    expect(await legacy.json()).toEqual({ id: 1, result: {} })
  })

  test('is read from a stream without a length', async () => {
    const body = new Blob([JSON.stringify({ uid: 'u', ...PADDING })]).stream()
    const headers = { 'x-api-key': 'test-key' }
    const options = { method: 'POST', headers, body, duplex: 'half' as const }
    const answer = await fetch(`${server.url}/api/cancel_push`, options)
    expect(await answer.json()).toEqual({ result: {} })
  })

  test('is answered by a new process after the first one was killed', async () => {
    for (const pid of await findProcesses()) process.kill(pid, 'SIGKILL')
    // Until the server has seen the end of the process, the answer is 502.
    const post = async () => await (await server.post('/cancel_push', { uid: 'u', ...PADDING })).text()
    await expect.poll(post, { timeout: 30_000 }).toBe('{"result":{}}')
  })
})

test('a small request starts no process', async () => {
  for (const pid of await findProcesses()) process.kill(pid, 'SIGKILL')
  await expect.poll(findProcesses).toEqual([])
  await server.post('/cancel_push', { uid: 'u' })
  expect(await findProcesses()).toEqual([])
})

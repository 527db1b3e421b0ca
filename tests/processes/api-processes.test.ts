// `http_server.processes` with two API processes: the server behaves as with one.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { LARGE_BODY_BYTES } from '../../src/server/body-budget.ts'
import { makeClient, PASSWORD, SECRET } from '../admin/admin-rig.ts'
import { startAssembly } from '../support/assembly.ts'
import { type CentripushProcess, startCentripush } from '../support/centripush-process.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { answerWith, startRawNode } from '../support/edge.ts'
import { countLockWaits } from '../support/lock-waits.ts'
import { openRaw } from '../support/raw-connection.ts'
import { noteSecrets } from '../support/run-log.ts'

const LONG = { timeout: 60_000, interval: 50 }
const KEY = 'key-of-the-clients'
const PROCESSES = 2
const FUTURE = 2_000_000_000
const WEBSOCKET_KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

let database: TestDatabase
let node: Awaited<ReturnType<typeof startRawNode>>
let server: CentripushProcess
/** The addresses of clients that the node was told. */
const clientAddresses: unknown[] = []

beforeAll(async () => {
  noteSecrets([PASSWORD, SECRET])
  database = await createTestDatabase()
  node = await startRawNode(({ headers }, outgoing) => {
    clientAddresses.push(headers['x-forwarded-for'])
    answerWith(outgoing, '{"result":{}}')
  })
  node.server.on('upgrade', ({ headers }, socket) => {
    const accept = createHash('sha1')
      .update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    socket.on('error', () => undefined).pipe(socket)
  })
  server = await startServer()
}, 90_000)
afterAll(async () => {
  await server.stop()
  await node.stop()
  await database.drop()
})

function startServer(): Promise<CentripushProcess> {
  return startCentripush({
    http_server: { processes: PROCESSES },
    http_api: { key: KEY },
    admin: { enabled: true, password: PASSWORD, secret: SECRET },
    upstream: { address: node.address },
    database: { postgresql: { dsn: database.dsn } },
  })
}

async function listProcesses(pid: number): Promise<number[]> {
  // Without a match pgrep exits with 1.
  const found = promisify(execFile)('pgrep', ['-P', String(pid), '-f', 'api-process'])
  const { stdout } = await found.catch(() => ({ stdout: '' }))
  return stdout.split('\n').filter(Boolean).map(Number)
}

/** Posts on a connection of its own: connections go to the processes in turn. */
async function post(method: string, body: object, url = server.url, signal?: AbortSignal): Promise<string> {
  const agent = new Agent({ keepAlive: false })
  const options = { method: 'POST', agent, headers: { 'x-api-key': KEY }, ...(signal && { signal }) }
  const outgoing = request(`${url}/api/${method}`, options)
  outgoing.end(JSON.stringify(body))
  const [incoming] = await once(outgoing, 'response')
  let text = ''
  for await (const chunk of incoming) text += String(chunk)
  return text
}

const sendLater = (uid: string, more: object = {}, signal?: AbortSignal) => {
  const recipient = { fcm_tokens: ['token'] }
  const body = { uid, send_at: FUTURE, recipient, notification: { fcm: { message: {} } }, ...more }
  return post('send_push_notification', body, server.url, signal)
}

async function countScheduled(): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text()
  return Number(/^centrifugo_push_scheduled_request_count\{.*\} (\d+)/m.exec(text)?.[1])
}

test('metrics are the sums of all processes, and health is that of the server', async () => {
  expect(await listProcesses(server.pid)).toHaveLength(PROCESSES)
  for (let send = 0; send < 6; send++)
    expect(await sendLater(`metric-${send}`)).toBe(`{"result":{"uid":"metric-${send}"}}`)
  expect(await countScheduled()).toBe(6)
  const health = await fetch(`${server.url}/health`)
  expect([health.status, await health.json()]).toEqual([200, expect.any(Object)])
})

test('requires the key in all processes', async () => {
  for (let call = 0; call < 2 * PROCESSES; call++) {
    const answer = await fetch(`${server.url}/api/push_list`, { method: 'POST', headers: { connection: 'close' } })
    expect(answer.status).toBe(401)
  }
})

test('a large request is answered, from each process', async () => {
  for (let call = 0; call < PROCESSES; call++) {
    const more = { unknown: 'x'.repeat(LARGE_BODY_BYTES) }
    expect(await sendLater(`large-${call}`, more)).toBe(`{"result":{"uid":"large-${call}"}}`)
  }
})

test('a method of the node is passed on, with the address of the client', async () => {
  for (let call = 0; call < PROCESSES; call++)
    expect(await post('publish', { channel: 'a', data: 1 })).toBe('{"result":{}}')
  expect(clientAddresses.slice(-PROCESSES)).toEqual(Array(PROCESSES).fill('127.0.0.1'))
})

test('a WebSocket is passed on to the node, from each process', async () => {
  for (let client = 0; client < PROCESSES; client++) {
    const connection = openRaw(
      server.url,
      'GET /connection/websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${WEBSOCKET_KEY}\r\n\r\n`,
    )
    await connection.until('101 Switching Protocols')
    connection.socket.write('echoed')
    await connection.until('echoed')
    connection.socket.destroy()
  }
})

test('a session of the web UI is valid in all processes, and its pages are live', async () => {
  const client = makeClient(`${server.url}/admin`)
  expect((await client.login()).status).toBe(303)
  for (let page = 0; page < 2 * PROCESSES; page++) {
    expect((await client.get('', { connection: 'close' })).status).toBe(200)
  }
  const stop = new AbortController()
  const cookie = [...client.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const events = await fetch(`${server.url}/admin/events`, { headers: { cookie }, signal: stop.signal })
  expect([events.status, events.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
  stop.abort()
})

test('a killed process is started again, and the others serve meanwhile', async () => {
  const [first = 0, ...others] = await listProcesses(server.pid)
  process.kill(first, 'SIGKILL')
  // Until the server knows of the kill it may give a connection to the killed process, which answers nothing.
  await vi.waitFor(() => expect(server.output.stdout).toContain('api process: exited'), LONG)
  for (let send = 0; send < 2 * PROCESSES; send++) {
    const answer = () => sendLater(`killed-${send}`, {}, AbortSignal.timeout(5000))
    await vi.waitFor(async () => expect(await answer()).toContain('"result"'), LONG)
  }
  await vi.waitFor(async () => {
    const now = await listProcesses(server.pid)
    expect(now).toHaveLength(PROCESSES)
    expect(now).toEqual(expect.arrayContaining(others))
  }, LONG)
}, 90_000)

test('at a stop, requests in flight are answered, and all processes end', async () => {
  const { sql } = database
  const stopping = await startServer()
  const pids = await listProcesses(stopping.pid)
  const lock = await sql.reserve()
  await lock`begin`
  await lock`lock table push_sends in access exclusive mode`
  const calls = [0, 1, 2, 3].map((call) =>
    post(
      'send_push_notification',
      {
        uid: `stop-${call}`,
        send_at: FUTURE,
        recipient: { fcm_tokens: ['a'] },
        notification: { fcm: { message: {} } },
      },
      stopping.url,
    ),
  )
  await vi.waitFor(async () => expect(await countLockWaits(sql)).toBeGreaterThan(0), LONG)
  const stopped = stopping.stop()
  await lock`commit`
  lock.release()
  expect(await Promise.all(calls)).toEqual([0, 1, 2, 3].map((call) => `{"result":{"uid":"stop-${call}"}}`))
  expect(await stopped).toBe(0)
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow()
}, 120_000)

test('the link that logs in works once, whichever process is asked', async () => {
  const trial = await startAssembly(database.dsn, {
    http_server: { processes: PROCESSES },
    http_api: { key: undefined },
    data_dir: `/tmp/centripush-api-processes-${process.pid}`,
  })
  try {
    const link = trial.adminLink ?? ''
    const use = () => fetch(link, { redirect: 'manual', headers: { connection: 'close' } })
    const statuses = [(await use()).status, (await use()).status, (await use()).status]
    expect(statuses[0]).toBe(303)
    expect(statuses.slice(1)).not.toContain(303)
  } finally {
    await trial.stop(5000)
  }
}, 90_000)

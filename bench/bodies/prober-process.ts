// Asks a server at a steady rate, in a process of its own so that the load does not delay it: `/health`, single sends,
// registrations and proxied publishes. At the message 'stop' it sends the times of its requests, and the failures.
import { setTimeout as delay } from 'node:timers/promises'
import { Pool } from 'undici'

const [url = '', key = ''] = process.argv.slice(2)
const HEALTH_INTERVAL_MS = 20
const CALL_INTERVAL_MS = 60
/** Until then the first requests open connections, and V8 compiles. */
const WARM_UP_MS = 3000
const pool = new Pool(url, { connections: 64, headersTimeout: 60_000 })
const headers = { 'x-api-key': key, 'content-type': 'application/json' }

const CALLS: readonly [name: string, path: string, make: (count: number) => object][] = [
  [
    'single send',
    '/api/send_push_notification',
    (count) => ({
      recipient: { fcm_tokens: [`t${count}`] },
      notification: { fcm: { message: { notification: { title: 'a' } } } },
    }),
  ],
  [
    'device_register',
    '/api/device_register',
    (count) => ({ provider: 'fcm', platform: 'android', token: `token${count}`, user: `u${count}` }),
  ],
  ['publish', '/api/publish', (count) => ({ channel: 'news', data: { count } })],
]

const timesMs: Record<string, number[]> = {}
const failures: string[] = []
let isCounting = false
let isStopped = false

async function ask(name: string, path: string, body?: object): Promise<void> {
  const startMs = performance.now()
  try {
    const options = body ? { method: 'POST' as const, headers, body: JSON.stringify(body) } : { method: 'GET' as const }
    const answer = await pool.request({ path, ...options })
    const text = await answer.body.text()
    if (answer.statusCode !== 200 || text.includes('"error"')) failures.push(`${name}: ${answer.statusCode} ${text}`)
  } catch (error) {
    failures.push(`${name}: ${error instanceof Error ? error.message : 'failed'}`)
  }
  if (!isCounting) return
  timesMs[name] ??= []
  timesMs[name].push(performance.now() - startMs)
}

/** Requests are sent at their time, also when earlier ones have no answer yet. */
async function repeat(intervalMs: number, work: (count: number) => Promise<void>): Promise<void> {
  const open = new Set<Promise<void>>()
  const startMs = performance.now()
  for (let count = 0; !isStopped; count++) {
    const one = work(count).finally(() => open.delete(one))
    open.add(one)
    const dueMs = startMs + (count + 1) * intervalMs
    await delay(Math.max(0, dueMs - performance.now()))
  }
  await Promise.all(open)
}

process.on('message', (message) => {
  if (message === 'stop') isStopped = true
})
process.once('disconnect', () => process.exit())
setTimeout(() => {
  isCounting = true
  process.send?.('ready')
}, WARM_UP_MS)
await Promise.all([
  repeat(HEALTH_INTERVAL_MS, () => ask('/health', '/health')),
  repeat(CALL_INTERVAL_MS, async (count) => {
    const call = CALLS[count % CALLS.length]
    if (call) await ask(call[0], call[1], call[2](count))
  }),
])
process.send?.({ timesMs, failures })
process.disconnect()
await pool.close()

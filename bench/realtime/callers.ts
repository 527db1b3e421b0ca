// A backend and the clients of its users, at a fixed rate: the next call does not wait for the answer to the last one.
import { setTimeout as delay } from 'node:timers/promises'
import { HttpConnections } from '../singles/http-connections.ts'

export const API_KEY = 'key-of-the-server'
export const PROXY_KEY = 'key-of-the-proxy'
const TICK_MS = 10
/** The most calls in flight of each kind. */
const CONNECTIONS = 128
/** The latest ack after its message, in ms. */
const ACK_SPREAD_MS = 1000

/** What the callers saw. */
export interface CallResults {
  /** The durations of calls in ms. */
  publishMs: number[]
  ackMs: number[]
  /** Answers that are not the expected ones, at most ten. */
  failures: string[]
  accepted: number
  acked: number
}

/** Calls `publish_or_push` at `rate` a second for `seconds`, and acknowledges every second message. */
export async function runCallers(
  url: string,
  { rate, seconds, users, delayMs }: { rate: number; seconds: number; users: number; delayMs: number },
): Promise<CallResults> {
  const port = Number(new URL(url).port)
  const backend = new HttpConnections(port, CONNECTIONS, `X-API-Key: ${API_KEY}\r\n`)
  const node = new HttpConnections(port, CONNECTIONS, `X-Centripush-Proxy-Key: ${PROXY_KEY}\r\n`)
  await Promise.all([backend.openAll(), node.openAll()])
  const results: CallResults = { publishMs: [], ackMs: [], failures: [], accepted: 0, acked: 0 }
  const calls: Promise<void>[] = []
  const call = async (from: HttpConnections, path: string, body: object, times: number[], expected: string) => {
    const startMs = performance.now()
    const text = await new Promise<string>((resolve) => {
      from.post(path, JSON.stringify(body), (_, answer) => resolve(answer))
    })
    times.push(performance.now() - startMs)
    if (text.startsWith(expected)) return true
    if (results.failures.length < 10) results.failures.push(text)
    return false
  }
  const oneMessage = async (number: number) => {
    const user = `user:${number % users}`
    const uid = `message-${number}`
    const push = { uid, recipient: { filter: { users: [user] } }, notification: { fcm: { message: { data: {} } } } }
    const request = { publish: { channel: `chat:${number % users}`, data: { number } }, push, delay_ms: delayMs }
    if (await call(backend, '/api/publish_or_push', request, results.publishMs, '{"result":{"uid"')) results.accepted++
    if (number % 2 === 1) return
    await delay(Math.random() * ACK_SPREAD_MS)
    const ack = { user, method: 'push:ack', data: { uids: [uid] } }
    if (await call(node, '/proxy/rpc', ack, results.ackMs, '{"result":{"data":{}}}')) results.acked++
  }
  const startMs = performance.now()
  for (let number = 0; number < rate * seconds; ) {
    const due = Math.min(rate * seconds, Math.ceil(((performance.now() - startMs) / 1000) * rate))
    for (; number < due; number++) calls.push(oneMessage(number))
    await delay(TICK_MS)
  }
  await Promise.all(calls)
  backend.close()
  node.close()
  return results
}

import { setTimeout as delay } from 'node:timers/promises'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AdminEnvironment } from '../../src/admin/admin-environment.ts'
import { answerEvents } from '../../src/admin/live/answer-events.ts'
import { LivePolls } from '../../src/admin/live/live-polls.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { type AdminRig, type Client, startAdminRig } from './admin-rig.ts'

let rig: AdminRig
let client: Client

beforeAll(async () => {
  rig = await startAdminRig()
  client = await rig.loggedIn()
})

afterAll(() => rig.stop())

/** Opens the events of a page. `text` has all that came. */
async function open(path: string) {
  const stop = new AbortController()
  const cookie = [...client.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const answer = await fetch(`${rig.server.url}/admin${path}`, { headers: { cookie }, signal: stop.signal })
  const stream = { answer, text: '', isEnded: false, stop: () => stop.abort() }
  const read = async () => {
    for await (const chunk of answer.body ?? []) stream.text += Buffer.from(chunk).toString()
  }
  const ended = read()
    .catch(() => undefined)
    .finally(() => {
      stream.isEnded = true
    })
  return Object.assign(stream, { ended })
}

test('ten pages with the same subject cost one read a round', async () => {
  const live = new LivePolls({ logger: makeTestLogger(), intervalMs: 3_600_000 })
  let reads = 0
  const load = async () => {
    reads++
    return [{ id: 'a', html: String(reads) }]
  }
  const seen: string[] = []
  const unwatch = Array.from({ length: 10 }, () => live.watch('queue', load, ([part]) => seen.push(part?.html ?? '')))
  live.readNow()
  await expect.poll(() => seen).toEqual(Array(10).fill('1'))
  for (const end of unwatch) end()
  live.readNow()
  await delay(0)
  expect([reads, live.pages]).toEqual([1, 0])
  await live.stop()
})

test('a slow subject is not read twice at a time, and a failed one is read again', async () => {
  const live = new LivePolls({ logger: makeTestLogger(), intervalMs: 3_600_000 })
  const pending: ((error?: Error) => void)[] = []
  const seen: unknown[] = []
  const load = () =>
    new Promise<[]>((resolve, reject) => pending.push((error) => (error ? reject(error) : resolve([]))))
  live.watch('slow', load, (parts) => seen.push(parts))
  live.readNow()
  live.readNow()
  expect(pending).toHaveLength(1)
  pending[0]?.(new Error('the store is down'))
  await delay(0)
  live.readNow()
  expect(pending).toHaveLength(2)
  pending[1]?.()
  await expect.poll(() => seen).toEqual([[]])
  await live.stop()
})

describe('the events of a page', () => {
  const makeEvents = (heartbeatMs = 3_600_000) => {
    const live = new LivePolls({ logger: makeTestLogger(), intervalMs: 3_600_000, heartbeatMs })
    let round = 0
    const load = async () => [{ id: 'a', html: `round ${++round}` }]
    const session = { hasEnded: false }
    const app = new Hono<AdminEnvironment>().get('/events', (context) => {
      context.set('hasEnded', async () => session.hasEnded)
      return answerEvents(context, live, 'queue', load)
    })
    return { live, app, session }
  }

  test('end with the session', async () => {
    const { live, app, session } = makeEvents(10)
    const answer = await app.request('/events')
    const reader = answer.body?.getReader()
    let text = ''
    const read = async () => {
      for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
        text += Buffer.from(part.value).toString()
      }
    }
    const ended = read()
    await expect.poll(() => text).toContain(':\n\n')
    session.hasEnded = true
    await ended
    expect(live.pages).toBe(0)
    await live.stop()
  })

  test('are not watched for a HEAD request, which reads none', async () => {
    const { live, app } = makeEvents()
    const answer = await app.request('/events', { method: 'HEAD' })
    expect([answer.status, live.pages]).toEqual([200, 0])
    await live.stop()
  })

  test('are not kept for a reader that stalls: it gets the newest', async () => {
    const { live, app } = makeEvents()
    const answer = await app.request('/events')
    for (let round = 1; round <= 100; round++) {
      live.readNow()
      await delay(0)
    }
    const reader = answer.body?.getReader()
    let text = ''
    const read = async () => {
      for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
        text += Buffer.from(part.value).toString()
      }
    }
    const ended = read()
    await expect.poll(() => text).toContain('round')
    live.readNow()
    await expect.poll(() => text).toContain('round 101')
    expect(text.match(/round/g)?.length).toBeLessThan(5)
    await live.stop()
    await ended
  })
})

test('an event has the parts that have changed, and none while nothing does', async () => {
  const page = await open('/queue/events')
  expect(page.answer.headers.get('content-type')).toContain('text/event-stream')
  expect(page.answer.headers.get('x-accel-buffering')).toBe('no')
  await expect.poll(() => page.text, { timeout: 10_000 }).toContain('"id":"queue-state"')
  const length = page.text.length
  // Two rounds. That nothing comes is no event to wait for.
  await delay(2500)
  expect(page.text.length).toBe(length)
  await client.post('/queue/pause', { provider: 'apns', reason: 'seen live' })
  await expect.poll(() => page.text, { timeout: 10_000 }).toContain('seen live')
  page.stop()
})

test('a server that stops ends the streams at once', async () => {
  const other = await startAdminRig()
  const watcher = await other.loggedIn()
  const cookie = [...watcher.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const answer = await fetch(`${other.server.url}/admin/events`, { headers: { cookie } })
  const startedAt = performance.now()
  const stopping = other.server.stop(20_000)
  for await (const _ of answer.body ?? []);
  await stopping
  expect(performance.now() - startedAt).toBeLessThan(10_000)
  await other.database.drop()
})

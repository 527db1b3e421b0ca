// SIGTERM at the moments of a server with a broadcast and single sends in progress. The next start continues: each push
// of an accepted send is sent once, because a stop waits for the answers to pushes in flight.
import { once } from 'node:events'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { startFcmSimulator } from '../support/fcm-simulator.ts'
import { LONG, RUNNING, type Server, startMarked } from './marked-server.ts'

const KEY = 'key-of-the-clients'
const DEVICES = 20_000
/** Each test starts nine servers. */
const TEST_TIMEOUT_MS = 300_000
const NOTIFICATION = { fcm: { message: { notification: { title: 'News' } } } }
/** The `shutdown.timeout` of the servers, and the time that a loaded machine needs to see the end of a process. */
const SHUTDOWN_TIMEOUT_MS = 15_000
const OBSERVATION_MS = 5000

/** The moments of the stops: a line of the log, or a number of pushes that FCM has accepted since the start. */
const MOMENTS = ['database: ready', 'provider: real', RUNNING, 1, 500, 2500, 100] as const

interface SingleSends {
  /** The tokens of sends that were answered with their uid. */
  accepted: string[]
  /** Tokens of sends without an answer: the server may have accepted them. */
  unknown: string[]
  end(): Promise<void>
}

/** Sends to one token after another. A server that refuses or is gone ends the loop. */
function startSingleSends(url: string, name: string): SingleSends {
  const accepted: string[] = []
  const unknown: string[] = []
  let isEnding = false
  const loop = async () => {
    for (let number = 1; !isEnding; number++) {
      const token = `single-${name}-${number}`
      const outcome = await send(url, { recipient: { fcm_tokens: [token] } })
      if (outcome === 'accepted') accepted.push(token)
      if (outcome === 'unknown') unknown.push(token)
      if (outcome !== 'accepted') return
    }
  }
  const running = loop()
  const end = async () => {
    isEnding = true
    await running
  }
  return { accepted, unknown, end }
}

async function send(url: string, request: object): Promise<'accepted' | 'refused' | 'unknown'> {
  const body = JSON.stringify({ ...request, notification: NOTIFICATION })
  try {
    const answer = await fetch(`${url}/api/send_push_notification`, {
      method: 'POST',
      headers: { 'x-api-key': KEY },
      body,
    })
    return (await answer.text()).includes('"uid"') ? 'accepted' : 'refused'
  } catch (error) {
    // A connection that is refused has not reached the server.
    const cause = error instanceof Error ? error.cause : undefined
    return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED' ? 'refused' : 'unknown'
  }
}

/** Sends SIGTERM. The stop must end in time, with exit code 0, without an error in the log, and without a process. */
async function stop(server: Server): Promise<void> {
  const sentAt = Date.now()
  server.child.kill('SIGTERM')
  expect(await server.ended).toBe(0)
  expect(Date.now() - sentAt).toBeLessThan(SHUTDOWN_TIMEOUT_MS + OBSERVATION_MS)
  expect(server.output()).not.toMatch(/"level":"error"|"stack"/)
  await vi.waitFor(() => expect(server.listLeft()).toEqual([]), LONG)
}

test.skipIf(process.platform !== 'linux').each([
  ['in the server process', 1],
  ['in worker processes', 2],
])(
  'a stop while pushes are sent %s loses none and sends none twice (needs /proc)',
  { timeout: TEST_TIMEOUT_MS },
  async (_, processes) => {
    const [database, fcm] = await Promise.all([createTestDatabase(), startFcmSimulator()])
    onTestFinished(async () => {
      await fcm.stop()
      await database.drop()
    })
    await database.sql`
    insert into devices (id, created_at, updated_at, registered_at, provider, platform, token, user_id)
    select gen_random_uuid(), now(), now(), now(), 1, 2, 'phone-' || n, 'user-' || n
    from generate_series(1, ${DEVICES}) as n`
    const { origin, files } = fcm.simulator
    const credentials = { credentials_file: files.credentials, ca_file: files.ca }
    const config = {
      http_api: { key: KEY },
      database: { postgresql: { dsn: database.dsn } },
      push_notifications: { fcm: { ...credentials, push_endpoint: origin, auth_endpoint: origin } },
      shutdown: { timeout: `${SHUTDOWN_TIMEOUT_MS}ms` },
      worker: { processes },
    }
    const accepted: string[] = []
    const unknown: string[] = []

    const first = await startMarked({ config })
    await first.said(RUNNING)
    expect(await send(first.url, { recipient: { filter: { providers: ['fcm'] } } })).toBe('accepted')
    await fcm.simulator.waitForAccepted(1)
    await stop(first)
    expect(fcm.simulator.accepted.length).toBeLessThan(DEVICES)
    for (const [index, moment] of MOMENTS.entries()) {
      const before = fcm.simulator.accepted.length
      const server = await startMarked({ config })
      let singles: SingleSends | undefined
      if (typeof moment === 'string') await server.said(moment)
      else {
        await server.said(RUNNING)
        singles = startSingleSends(server.url, `${index}`)
        const count = Math.min(before + moment, DEVICES)
        await Promise.race([fcm.simulator.waitForAccepted(count), once(server.child, 'exit')])
      }
      await stop(server)
      await singles?.end()
      accepted.push(...(singles?.accepted ?? []))
      unknown.push(...(singles?.unknown ?? []))
    }
    const last = await startMarked({ config })
    await last.said(RUNNING)
    const phones = Array.from({ length: DEVICES }, (_, index) => `phone-${index + 1}`)
    const expected = [...phones, ...accepted]
    await vi.waitFor(() => expect(countMissing(expected, countPushes(fcm.simulator.accepted))).toBe(0), LONG)
    await stop(last)
    const counts = countPushes(fcm.simulator.accepted)
    expect([...counts].filter(([, count]) => count > 1)).toEqual([])
    const known = new Set([...expected, ...unknown])
    expect([...counts.keys()].filter((token) => !known.has(token))).toEqual([])
    expect(accepted.length).toBeGreaterThan(0)
  },
)

function countPushes(pushes: readonly { target: string }[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { target } of pushes) counts.set(target, (counts.get(target) ?? 0) + 1)
  return counts
}

function countMissing(expected: readonly string[], counts: ReadonlyMap<string, number>): number {
  return expected.filter((token) => !counts.has(token)).length
}

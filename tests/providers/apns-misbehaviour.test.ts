import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, expect, it, vi } from 'vitest'
import { makeLogger } from '../../src/observability/log.ts'
import { ApnsProvider } from '../../src/providers/apns/apns.ts'
import type { Outcome } from '../../src/providers/provider.ts'
import { makeApnsFaults } from '../../src/simulators/apns/apns-faults.ts'
import { startApnsSimulator, type TestApnsSimulator } from '../support/apns-simulator.ts'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { LocalCredentialCache } from '../support/local-credential-cache.ts'

const SHARE = 0.05
const BATCH_SIZE = 500
const TIMEOUT_MS = 120_000

const WORDS = Object.keys(makeApnsFaults())

const toStop: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of toStop.splice(0).reverse()) await stop()
})

async function startApns(words: readonly string[], seed = 1): Promise<TestApnsSimulator> {
  const misbehaviour = { share: SHARE, random: makeRandom(seed), words }
  const apns = await startApnsSimulator({ slowMs: 200, misbehaviour })
  toStop.push(() => apns.stop())
  return apns
}

/** Numbers from 0 to 1, the same for each seed. */
function makeRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function deviceTokens(count: number): string[] {
  return Array.from({ length: count }, (_, i) => i.toString(16).padStart(64, '0'))
}

function countByTarget(targets: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const target of targets) counts.set(target, (counts.get(target) ?? 0) + 1)
  return counts
}

it(
  'settles each target once per attempt, whatever goes wrong, and a phone gets twice only what had no answer',
  async () => {
    const run = async (seed: number) => {
      const apns = await startApns(WORDS, seed)
      const provider = new ApnsProvider({
        endpoint: apns.simulator.origin,
        bundleId: apns.simulator.account.bundleId,
        auth: { kind: 'token', key: apns.key, cache: new LocalCredentialCache() },
        ca: apns.ca,
        requestTimeoutMs: 1000,
        logger: makeLogger({ level: 'none', file: '' }),
      })
      toStop.push(() => provider.close())
      const notification = { json: Buffer.from('{"aps":{"alert":"hi"}}'), headers: new Map<string, string>() }
      const final = new Map<string, Outcome['kind']>()
      const unanswered: string[] = []
      let left = deviceTokens(2000)
      while (left.length > 0) {
        const targets = left.slice(0, BATCH_SIZE)
        const settled = new Map<string, Outcome>()
        const settle = (index: number, outcome: Outcome) => {
          const target = targets[index] ?? ''
          expect(settled.has(target)).toBe(false)
          settled.set(target, outcome)
        }
        await provider.send(
          { uid: 'u', notification, targetKind: 'token', targets },
          settle,
          AbortSignal.timeout(60_000),
        )
        expect(settled.size).toBe(targets.length)
        const again: string[] = []
        for (const [target, outcome] of settled) {
          if (outcome.kind === 'retry' && outcome.maybeDelivered) unanswered.push(target)
          if (outcome.kind === 'retry' || outcome.kind === 'credential') again.push(target)
          else final.set(target, outcome.kind)
        }
        left = [...left.slice(BATCH_SIZE), ...again]
      }
      const delivered = countByTarget(apns.simulator.accepted.map(({ target }) => target))
      const doubtful = countByTarget(unanswered)
      for (const [target, kind] of final) {
        const times = delivered.get(target) ?? 0
        expect(times).toBeGreaterThanOrEqual(kind === 'sent' ? 1 : 0)
        expect(times).toBeLessThanOrEqual((kind === 'sent' ? 1 : 0) + (doubtful.get(target) ?? 0))
      }
      expect(final.size).toBe(2000)
      expect(apns.simulator.providerTokens).toHaveLength(1)
    }
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 31 }), run), { numRuns: 2 })
  },
  TIMEOUT_MS,
)

/** The whole server, that sends to the simulator alone. */
async function startServer(apns: TestApnsSimulator): Promise<{ server: TestAssembly; database: TestDatabase }> {
  const database = await createTestDatabase()
  toStop.push(() => database.drop())
  const { simulator } = apns
  const { bundleId, keyId, teamId } = simulator.account
  const server = await startAssembly(database.dsn, {
    push_notifications: {
      enabled_providers: ['apns'],
      apns: {
        endpoint: simulator.origin,
        bundle_id: bundleId,
        auth_type: 'token',
        token_key_file: simulator.files.tokenKey,
        token_key_id: keyId,
        token_team_id: teamId,
        tokens_batch_size: BATCH_SIZE,
        ca_file: simulator.files.ca,
      },
    },
    worker: { retry_scale: 0.01 },
  })
  toStop.push(() => server.stop(5000))
  return { server, database }
}

async function sendTo(server: TestAssembly, apns_tokens: string[]): Promise<void> {
  const notification = { apns: { payload: { aps: { alert: 'hi' } } } }
  const body = { uid: randomUUID(), recipient: { apns_tokens }, notification }
  const answer = await server.post('/send_push_notification', body)
  expect(await answer.json()).toMatchObject({ result: {} })
}

/** Targets that have reached their end, by whether they were sent. */
async function countFinal(server: TestAssembly): Promise<{ sent: number; others: number }> {
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  let sent = 0
  let others = 0
  for (const line of metrics.split('\n')) {
    const count = Number(line.split(' ').at(-1))
    if (/^centrifugo_push_notification_count\{.*success="true"/.test(line)) sent += count
    else if (/^(centrifugo_push_notification_count|centripush_push_unsent\w*)\{/.test(line)) others += count
  }
  return { sent, others }
}

async function waitForAll(server: TestAssembly, count: number): Promise<{ sent: number; others: number }> {
  return vi.waitFor(
    async () => {
      const final = await countFinal(server)
      expect(final.sent + final.others).toBe(count)
      return final
    },
    { timeout: TIMEOUT_MS, interval: 200 },
  )
}

it(
  'keeps all work while the key is revoked, asks seldom, and goes on when it is mended',
  async () => {
    const apns = await startApns([])
    const { server } = await startServer(apns)
    const tokens = deviceTokens(4000)
    apns.simulator.revokeKey()
    await sendTo(server, tokens)
    await vi.waitFor(() => expect(apns.simulator.requests).toBeGreaterThan(0), { timeout: 10_000 })
    apns.simulator.restoreKey()
    expect(await waitForAll(server, tokens.length)).toEqual({ sent: tokens.length, others: 0 })
    expect(apns.simulator.accepted.map(({ target }) => target).sort()).toEqual(tokens)
  },
  TIMEOUT_MS,
)

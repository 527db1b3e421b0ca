// publish_or_push with acks: npm run bench:realtime -- [--rate N] [--seconds N] [--keep] [--json FILE]
//
// A backend calls publish_or_push at a fixed rate, and the user of every second message acknowledges it through the RPC
// proxy endpoint within a second. Server, node stand-in, provider stand-in and callers share the machine.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { makeLogger } from '../src/observability/log.ts'
import { startCentripush } from '../tests/support/centripush-process.ts'
import { summarize, withSurroundings } from './harness/measure.ts'
import { Report, writeReport } from './harness/report.ts'
import { findResultFile, RESULT_OPTIONS } from './harness/results.ts'
import { using } from './harness/teardown.ts'
import { withDatabase } from './harness/with-database.ts'
import { startPushService } from './pipeline/push-service.ts'
import { API_KEY, PROXY_KEY, runCallers } from './realtime/callers.ts'

const USERS = 20_000
const DELAY_MS = 3000
const MAX_ACK_P99_MS = 20
const DRAIN_MS = 60_000

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '20' },
    ...RESULT_OPTIONS,
  },
})
const load = { rate: Number(values.rate), seconds: Number(values.seconds), users: USERS, delayMs: DELAY_MS }
const report = new Report()
const logger = makeLogger({ level: 'error', file: '' })

async function startNode() {
  const child = fork(join(import.meta.dirname, 'realtime/node-stand-in-process.ts'), { execArgv: ['--import', 'tsx'] })
  const [port] = await once(child, 'message')
  const stop = async () => {
    const ended = once(child, 'exit')
    child.disconnect()
    await ended
  }
  return { address: `http://127.0.0.1:${port}`, stop }
}

/** Waits until the number of pushes is `expected` or no longer grows. */
async function waitForPushes(count: () => Promise<number>, expected: number): Promise<number> {
  const deadlineMs = performance.now() + DRAIN_MS
  let pushes = await count()
  while (pushes < expected && performance.now() < deadlineMs) {
    await delay(500)
    pushes = await count()
  }
  // Pushes that should not come need time too.
  await delay(DELAY_MS)
  return count()
}

await withDatabase(logger, ({ dsn, sql }) =>
  using(startPushService('fcm', 'counting'), (service) =>
    using(startNode(), async (node) => {
      await sql`
        insert into devices (id, created_at, updated_at, registered_at, provider, platform, token, user_id)
        select gen_random_uuid(), now(), now(), now(), 1, 2, 'token-' || n, 'user:' || n
        from generate_series(0, ${USERS - 1}) as n`
      await sql`vacuum analyze devices`
      const config = {
        http_api: { key: API_KEY },
        rpc_proxy: { key: PROXY_KEY },
        client_push: { user_limit: 1_000_000 },
        upstream: { address: node.address },
        database: { postgresql: { dsn } },
        push_notifications: service.config,
        log: { level: 'error' },
      } as const
      await using(startCentripush(config), async (server) => {
        const { publishMs, ackMs, failures, accepted, acked, ...surroundings } = await withSurroundings(() =>
          runCallers(server.url, load),
        )
        for (const failure of failures) console.log(`    ${failure}`)
        const count = async () => (await service.counting?.count())?.requests ?? 0
        const pushes = await waitForPushes(count, accepted - acked)
        const name = `${load.rate} messages a second for ${load.seconds} s, every second one acknowledged`
        const acks = summarize(ackMs)
        report.add({
          name: `${name}: acks`,
          value: `${acked} of ${ackMs.length} answered`,
          target: `p99 ≤ ${MAX_ACK_P99_MS} ms`,
          isMet: acks.p99Ms <= MAX_ACK_P99_MS && acked === ackMs.length,
          ...acks,
          ...surroundings,
        })
        report.add({
          name: `${name}: publish_or_push`,
          value: `${accepted} of ${publishMs.length} accepted`,
          target: 'all',
          isMet: accepted === publishMs.length,
          ...summarize(publishMs),
        })
        report.add({
          name: `${name}: pushes`,
          value: `${pushes}`,
          target: `${accepted - acked}, those without an ack`,
          isMet: pushes === accepted - acked,
        })
      })
    }),
  ),
)
await writeReport(findResultFile('realtime', values), report.checks)

// The pages of the web UI: npm run bench:admin -- [--devices N] [--rows N] [--keep] [--json FILE]
//
// The database is a new PostgreSQL with millions of devices and events. Each page is requested in turn while a broadcast
// to all devices is sent by worker processes to the sandbox.
import { parseArgs } from 'node:util'
import * as v from 'valibot'
import { assemble } from '../src/assemble.ts'
import { parseConfig } from '../src/config/load.ts'
import type { Sql } from '../src/database/pool.ts'
import { makeLogger } from '../src/observability/log.ts'
import { fillPostgres } from './analytics/fill-postgres.ts'
import { loadDevices, TOPICS, USERS } from './devices/device-data.ts'
import { summarize, time, withSurroundings } from './harness/measure.ts'
import { type Check, printReport, writeReport } from './harness/report.ts'
import { findResultFile, RESULT_OPTIONS } from './harness/results.ts'
import { limitTime, using } from './harness/teardown.ts'
import { withDatabase } from './harness/with-database.ts'

const TIME_LIMIT_MS = 15 * 60_000
const MAX_P50_MS = 300
const MAX_P99_MS = 1000
/** The requests of each page. The slowest one counts as p99. */
const ROUNDS = 20
const PATHS = [
  '',
  '/sends',
  '/send?uid=broadcast-0',
  '/explain?uid=broadcast-0&user=USER',
  '/new-push',
  '/devices',
  `/devices?topic=${TOPICS.rare}`,
  '/devices?user=USER',
  '/devices/DEVICE',
  '/removed-devices',
  '/topics',
  `/topics?topic=${TOPICS.all}`,
  '/queue',
  '/analytics?range=7d',
  '/configuration?shows=all',
  '/actions',
].map((path) => path.replace('USER', USERS.one))

const Listed = v.object({ result: v.object({ items: v.array(v.object({ id: v.string() })) }) })

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '3000000' },
    rows: { type: 'string', default: '10000000' },
    ...RESULT_OPTIONS,
  },
})

limitTime(TIME_LIMIT_MS)
const logger = makeLogger({ level: 'error', file: '' })

/** Counts of a week, as broadcasts and small sends leave them. */
async function fillCounts(sql: Sql): Promise<void> {
  await sql`
    insert into notification_counts (minute, provider, type, platform, status, error_code, count)
    select minute, provider, 'token', platform, status, case when status = 'failed' then 'UNREGISTERED' else '' end, 100
    from generate_series(date_trunc('minute', now()) - interval '7 days', now(), '1 minute') as minute,
      unnest(array['fcm', 'apns']) as provider, unnest(array['ios', 'android', 'web']) as platform,
      unnest(array['sent', 'failed', 'dropped']) as status
    on conflict do nothing`
}

const checks = await withDatabase(logger, async ({ sql, dsn }) => {
  await loadDevices(sql, Number(values.devices))
  await fillPostgres(sql, Number(values.rows))
  await fillCounts(sql)
  const config = parseConfig({
    http_server: { address: '127.0.0.1', port: 0 },
    http_api: { insecure: true },
    admin: { enabled: true, insecure: true },
    database: { postgresql: { dsn } },
    push_notifications: { dry_run: true },
    worker: { processes: 2 },
    log: { level: 'error' },
  })
  return await using(
    assemble({ config, role: 'all', logger }).then((server) => ({ ...server, stop: () => server.stop(0) })),
    async ({ urls: [url = ''] }) => {
      const call = (method: string, body: object) =>
        fetch(`${url}/api/${method}`, { method: 'POST', body: JSON.stringify(body) })
      const listed = await call('device_list', { limit: 1 })
      const { result } = v.parse(Listed, await listed.json())
      let sends = 0
      const broadcast = () =>
        call('send_push_notification', {
          uid: `broadcast-${sends++}`,
          recipient: { filter: { topics: [TOPICS.all] } },
          notification: { fcm: { message: { notification: { title: 'Bench' } } }, apns: { payload: { aps: {} } } },
        })
      await broadcast()
      const all: Check[] = []
      for (const path of PATHS) {
        const target = `${url}/admin${path.replace('DEVICE', result.items[0]?.id ?? '')}`
        const { p50Ms, p99Ms, ...rest } = await withSurroundings(async () => {
          const durations: number[] = []
          for (let round = 0; round < ROUNDS; round++) durations.push(await time(() => readPage(target)))
          return summarize(durations)
        })
        // The next pages need a broadcast too.
        await broadcast()
        const isMet = p50Ms <= MAX_P50_MS && p99Ms <= MAX_P99_MS
        const check = {
          name: `page ${path === '' ? '/' : path}`,
          value: `${p50Ms.toFixed(0)} ms`,
          target: `p50 ≤ ${MAX_P50_MS} ms, p99 ≤ ${MAX_P99_MS} ms`,
          isMet,
          p50Ms,
          p99Ms,
          stealPercent: rest.stealPercent,
          loadAverage: rest.loadAverage,
        }
        all.push(check)
        printReport([check])
      }
      return all
    },
  )
})
await writeReport(findResultFile('admin', values), checks)
console.log()
printReport(checks)

async function readPage(url: string): Promise<void> {
  const answer = await fetch(url)
  await answer.text()
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`)
}

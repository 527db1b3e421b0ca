// The pages of the web UI: npm run bench:admin -- [--devices N] [--rows N] [--rounds N] [--pairs N] [--data-dir DIR]
//   [--keep] [--json FILE]
//
// The database is a PostgreSQL with millions of devices and events: a new one, or that of --data-dir, which is filled
// once. The pages are requested in turn while broadcasts to all devices are sent by worker processes to the sandbox. Then
// broadcasts with and without readers of the pages alternate.
import { parseArgs } from 'node:util'
import { assemble } from '../src/assemble.ts'
import { parseConfig } from '../src/config/load.ts'
import { makeLogger } from '../src/observability/log.ts'
import { makeBroadcasts } from './admin/broadcasts.ts'
import { fillDatabase } from './admin/fill-database.ts'
import { measureCost, measurePolls } from './admin/page-cost.ts'
import { listPages, measurePages } from './admin/page-times.ts'
import { Report, writeReport } from './harness/report.ts'
import { findResultFile, RESULT_OPTIONS } from './harness/results.ts'
import { limitTime, using } from './harness/teardown.ts'
import { withDatabase } from './harness/with-database.ts'

const TIME_LIMIT_MS = 30 * 60_000
const POLL_SECONDS = 8

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '3000000' },
    rows: { type: 'string', default: '10000000' },
    rounds: { type: 'string', default: '100' },
    pairs: { type: 'string', default: '12' },
    'data-dir': { type: 'string' },
    ...RESULT_OPTIONS,
  },
})

limitTime(TIME_LIMIT_MS)
const logger = makeLogger({ level: 'error', file: '' })
const report = new Report()

await withDatabase(
  logger,
  async ({ sql, dsn }) => {
    await fillDatabase(sql, Number(values.devices), Number(values.rows))
    const config = parseConfig({
      http_server: { address: '127.0.0.1', port: 0 },
      http_api: { insecure: true },
      admin: { enabled: true, insecure: true },
      database: { postgresql: { dsn } },
      push_notifications: { dry_run: true },
      worker: { processes: 2 },
      log: { level: 'error' },
    })
    const starting = assemble({ config, role: 'all', logger })
    await using(
      starting.then((server) => ({ ...server, stop: () => server.stop(0) })),
      async ({ urls: [url = ''] }) => {
        const base = `${url}/admin`
        await measurePolls(report, base, sql, POLL_SECONDS)
        // The uids of a kept database must be new.
        const broadcasts = makeBroadcasts(url, Date.now())
        const paths = await listPages(url, broadcasts.firstUid)
        await broadcasts.sendDuring(() => measurePages(report, base, paths, Number(values.rounds)))
        await measureCost(report, { base, paths, broadcasts, pairs: Number(values.pairs) })
      },
    )
  },
  values['data-dir'],
)
await writeReport(findResultFile('admin', values), report.checks)

// The whole pipeline: npm run bench:pipeline -- [--only throughput|growth|distance|singles]
//   [--provider fcm|apns|hms|webpush] [--queue redis|postgresql] [--devices N] [--runs N] [--sink nghttpd|counting]
//   [--processes N] [--analytics off|postgresql|clickhouse] [--quick] [--growth-to N] [--profile DIR] [--keep]
//   [--json FILE]
//
// `send_push_notification` to a topic goes over the API and through `centripush serve` to a stub that accepts every
// request. Database, Redis, server, workers and stub share the machine. The database is the embedded one with its own
// settings, Redis has appendonly everysec, and analytics are off unless --analytics names a store. Rates are judged by
// their ratio to h2load's rate to the same stub in the same run.
import { parseArgs } from 'node:util'
import * as v from 'valibot'
import { PROVIDER_NAMES } from '../src/config/provider-names.ts'
import { makeLogger } from '../src/observability/log.ts'
import { Report, writeReport } from './harness/report.ts'
import { findResultFile, RESULT_OPTIONS } from './harness/results.ts'
import { limitTime } from './harness/teardown.ts'
import { withDatabase } from './harness/with-database.ts'
import { ANALYTICS_NAMES } from './pipeline/analytics.ts'
import type { PipelineContext } from './pipeline/context.ts'
import { measureGrowth } from './pipeline/growth.ts'
import { measureDistance, measureSingles } from './pipeline/latency.ts'
import { QUEUE_NAMES } from './pipeline/queue-watch.ts'
import { measureThroughput } from './pipeline/throughput.ts'

const TIMEOUT_MS = 20 * 60_000
/** Encrypting one Web Push message takes as long as fifty pushes of the other providers. */
const WEBPUSH_SHARE = 1 / 20
const PARTS = ['throughput', 'growth', 'distance', 'singles'] as const

const count = v.pipe(v.string(), v.transform(Number), v.integer(), v.minValue(1))
const Options = v.object({
  only: v.optional(v.array(v.picklist(PARTS)), [...PARTS]),
  provider: v.optional(v.array(v.picklist(PROVIDER_NAMES)), [...PROVIDER_NAMES]),
  queue: v.optional(v.array(v.picklist(QUEUE_NAMES)), [...QUEUE_NAMES]),
  quick: v.optional(v.boolean(), false),
  devices: v.optional(count),
  runs: v.optional(count, '5'),
  sink: v.optional(v.picklist(['nghttpd', 'counting'])),
  processes: v.optional(count),
  analytics: v.optional(v.picklist(ANALYTICS_NAMES), 'off'),
  'growth-to': v.optional(count),
  profile: v.optional(v.string()),
  keep: v.boolean(),
  json: v.optional(v.string()),
})

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    provider: { type: 'string', multiple: true },
    queue: { type: 'string', multiple: true },
    quick: { type: 'boolean' },
    devices: { type: 'string' },
    runs: { type: 'string' },
    sink: { type: 'string' },
    processes: { type: 'string' },
    analytics: { type: 'string' },
    'growth-to': { type: 'string' },
    profile: { type: 'string' },
    ...RESULT_OPTIONS,
  },
})
const { only, devices: given, quick, runs, queue: queues, ...options } = v.parse(Options, values)
const devices = given ?? (quick ? 200_000 : 1_000_000)
const growthTo = options['growth-to'] ?? devices

async function measureAll(context: PipelineContext): Promise<void> {
  if (only.includes('throughput')) {
    for (const provider of options.provider) {
      const size = provider === 'webpush' ? Math.ceil(devices * WEBPUSH_SHARE) : devices
      const sink = options.sink ?? (provider === 'apns' ? 'counting' : 'nghttpd')
      await measureThroughput(context, { provider, queues, sink, devices: size, runs })
    }
  }
  if (only.includes('growth')) {
    const sizes = [10_000, 100_000, 1_000_000].filter((size) => size < growthTo)
    await measureGrowth(context, [...sizes, growthTo])
  }
  for (const queue of queues) {
    if (only.includes('distance')) await measureDistance(context, queue, Math.ceil(devices / 2))
    if (only.includes('singles')) await measureSingles(context, queue, Math.ceil(devices / 4))
  }
}

limitTime(TIMEOUT_MS)
const report = new Report()
await withDatabase(makeLogger({ level: 'error', file: '' }), ({ sql, dsn }) =>
  measureAll({
    sql,
    dsn,
    report,
    processes: options.processes,
    analytics: options.analytics,
    profileDir: options.profile,
  }),
)
await writeReport(findResultFile('pipeline', options), report.checks)

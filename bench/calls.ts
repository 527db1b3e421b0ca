// The cost of calls beside another checkout: npm run bench:calls -- --server DIR [--queue redis|postgresql]
//   [--call NAME] [--pairs N] [--seconds S] [--in-flight N] [--profile DIR] [--keep] [--json FILE]
//
// Both servers run at the same time, each with stores of its own, and get the same calls in turns from the same client.
// For each kind of calls: the CPU of the server and of its stores and the time of a call, as ratios of this checkout to
// the other one. CPU times vary less than times.
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import * as v from 'valibot'
import { makeLogger } from '../src/observability/log.ts'
import { CALL_KINDS } from './calls/call-kinds.ts'
import { compareKind } from './calls/compare-kind.ts'
import { Report, writeReport } from './harness/report.ts'
import { findResultFile, RESULT_OPTIONS } from './harness/results.ts'
import { limitTime } from './harness/teardown.ts'
import { withEmptyDatabase } from './harness/with-database.ts'
import { QUEUE_NAMES, type QueueName } from './pipeline/queue-watch.ts'
import { loadDevices } from './singles/devices.ts'
import { type Rig, withRig } from './singles/rig.ts'

const TIMEOUT_MS = 30 * 60_000
/** Other devices in the tables. */
const DEVICES = 100_000

const count = v.pipe(v.string(), v.transform(Number), v.integer(), v.minValue(1))
const Options = v.object({
  server: v.string('--server: the directory of the other checkout'),
  queue: v.optional(v.array(v.picklist(QUEUE_NAMES)), [...QUEUE_NAMES]),
  call: v.optional(v.array(v.picklist(Object.keys(CALL_KINDS))), Object.keys(CALL_KINDS)),
  pairs: v.optional(count, '8'),
  seconds: v.optional(v.pipe(v.string(), v.transform(Number), v.minValue(0.1)), '1'),
  'in-flight': v.optional(count, '8'),
  profile: v.optional(v.string()),
  keep: v.boolean(),
  json: v.optional(v.string()),
})

const { values } = parseArgs({
  options: {
    server: { type: 'string' },
    queue: { type: 'string', multiple: true },
    call: { type: 'string', multiple: true },
    pairs: { type: 'string' },
    seconds: { type: 'string' },
    'in-flight': { type: 'string' },
    profile: { type: 'string' },
    ...RESULT_OPTIONS,
  },
})
const options = v.parse(Options, values)
const rounds = { pairs: options.pairs, seconds: options.seconds, inFlight: options['in-flight'] }
const report = new Report()

limitTime(TIMEOUT_MS)
for (const queue of options.queue) {
  await withServer(queue, resolve(options.server), 'other', (other) =>
    withServer(queue, join(import.meta.dirname, '..'), 'own', async (own) => {
      for (const name of options.call) {
        const kind = CALL_KINDS[name]
        if (kind) report.add(await compareKind(kind, { other, own }, rounds))
      }
    }),
  )
}
await writeReport(findResultFile('calls', options), report.checks)

/** Runs `work` with a server and its own stores. */
function withServer(queue: QueueName, directory: string, name: string, work: (rig: Rig) => Promise<void>) {
  return withEmptyDatabase(makeLogger({ level: 'error', file: '' }), async ({ sql, dsn }) => {
    const profileDir = options.profile && join(options.profile, `${queue}-${name}`)
    await withRig({ queue, sql, dsn, directory, config: {}, processes: 1, profileDir }, async (rig) => {
      await loadDevices(sql, DEVICES)
      await sql`vacuum analyze`
      await work(rig)
    })
  })
}

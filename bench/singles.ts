// Single pushes, the everyday load: npm run bench:singles -- [--queue redis|postgresql]
//   [--kind user|token|delayed|batch] [--server DIR] [--config JSON] [--processes N] [--quick] [--profile DIR] [--keep]
//   [--json FILE]
//
// For each queue and kind of calls: the CPU of a call by process, as multiples of the cost of a bare Hono route with the
// same body, the calls a second at saturation, and the time from the moment at which a call is due to the arrival of its
// push at FCM. The load has fixed rates. Only to find the saturation, a fixed number of calls is in flight.
//
// `--server` names another checkout with the server under test, so that two versions can be measured in turn with the
// same client. `--config` adds sections to its configuration.
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import * as v from 'valibot'
import { makeLogger } from '../src/observability/log.ts'
import { Report, writeReport } from './harness/report.ts'
import { findResultFile, RESULT_OPTIONS } from './harness/results.ts'
import { limitTime } from './harness/teardown.ts'
import { withEmptyDatabase } from './harness/with-database.ts'
import { QUEUE_NAMES } from './pipeline/queue-watch.ts'
import { loadDevices } from './singles/devices.ts'
import { KIND_NAMES } from './singles/kinds.ts'
import { measureKind } from './singles/measure-kind.ts'
import { withRig } from './singles/rig.ts'

const TIMEOUT_MS = 15 * 60_000
const SIZES = { run: 8, devices: 300_000 }
const QUICK_SIZES = { run: 4, devices: 100_000 }

const count = v.pipe(v.string(), v.transform(Number), v.integer(), v.minValue(1))
const Options = v.object({
  queue: v.optional(v.array(v.picklist(QUEUE_NAMES)), [...QUEUE_NAMES]),
  kind: v.optional(v.array(v.picklist(KIND_NAMES)), [...KIND_NAMES]),
  server: v.optional(v.string(), join(import.meta.dirname, '..')),
  config: v.optional(v.pipe(v.string(), v.parseJson(), v.looseObject({})), '{}'),
  processes: v.optional(count),
  quick: v.optional(v.boolean(), false),
  profile: v.optional(v.string()),
  keep: v.boolean(),
  json: v.optional(v.string()),
})

const { values } = parseArgs({
  options: {
    queue: { type: 'string', multiple: true },
    kind: { type: 'string', multiple: true },
    server: { type: 'string' },
    config: { type: 'string' },
    processes: { type: 'string' },
    quick: { type: 'boolean' },
    profile: { type: 'string' },
    ...RESULT_OPTIONS,
  },
})
const options = v.parse(Options, values)
const sizes = options.quick ? QUICK_SIZES : SIZES
const report = new Report()

limitTime(TIMEOUT_MS)
for (const queue of options.queue) {
  await withEmptyDatabase(makeLogger({ level: 'error', file: '' }), async ({ sql, dsn }) => {
    const { config, processes, profile: profileDir } = options
    const directory = resolve(options.server)
    await withRig({ queue, sql, dsn, directory, config, processes, profileDir }, async (rig) => {
      await loadDevices(sql, sizes.devices)
      for (const kind of options.kind) await measureKind(rig, kind, sizes, report)
    })
  })
}
await writeReport(findResultFile('singles', options), report.checks)

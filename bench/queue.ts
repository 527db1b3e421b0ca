// The queue on both of its stores: npm run bench:queue -- [--backend postgresql|redis] [--targets N] [--devices N]
//   [--only alone|way] [--keep] [--json FILE]
//
// PostgreSQL has fsync and synchronous_commit on, and Redis has appendonly everysec. Both are started for the run and
// removed afterwards.
import { parseArgs } from 'node:util'
import { DeviceStore } from '../src/devices/device-store.ts'
import { makeLogger } from '../src/observability/log.ts'
import { loadDevices } from './devices/device-data.ts'
import { withSurroundings } from './harness/measure.ts'
import { type Check, printReport, writeReport } from './harness/report.ts'
import { findResultFile, RESULT_OPTIONS } from './harness/results.ts'
import { withDatabase } from './harness/with-database.ts'
import { measureQueueAlone } from './queue/queue-alone.ts'
import { QUEUE_BACKENDS } from './queue/queue-backends.ts'
import { measureWay } from './queue/queue-way.ts'

const TARGETS = {
  postgresql: { alone: 180_000, way: 120_000 },
  redis: { alone: 300_000, way: 150_000 },
}
const MAX_SINGLE_MS = 10
const SINGLE_EVERY_MS = 20
const RUNS = 5

const { values } = parseArgs({
  options: {
    backend: { type: 'string', multiple: true, default: ['postgresql', 'redis'] },
    targets: { type: 'string', default: '1000000' },
    devices: { type: 'string', default: '1000000' },
    only: { type: 'string' },
    ...RESULT_OPTIONS,
  },
})

const logger = makeLogger({ level: 'error', file: '' })
const checks: Check[] = []
const add = (check: Check) => {
  checks.push(check)
  printReport([check])
}

/** The median and the range of `RUNS` rates. */
async function repeatRate(measure: () => Promise<number>) {
  return await withSurroundings(async () => {
    const rates: number[] = []
    for (let run = 0; run < RUNS; run++) rates.push(await measure())
    const sorted = rates.toSorted((a, b) => a - b)
    return { rate: sorted[RUNS >> 1] ?? 0, range: `${Math.round(sorted[0] ?? 0)}–${Math.round(sorted.at(-1) ?? 0)}` }
  })
}

for (const backend of QUEUE_BACKENDS.filter(({ name }) => values.backend.includes(name))) {
  const { alone, way } = TARGETS[backend.name]
  await withDatabase(logger, async ({ sql, queueSql }) => {
    if (values.only !== 'way') {
      const { rate, range, ...surroundings } = await backend.withQueue({ sql: queueSql, logger }, ({ queue }) =>
        repeatRate(() => measureQueueAlone(queue, Number(values.targets))),
      )
      add({
        name: `${backend.name}: through the queue alone`,
        value: `${Math.round(rate)} targets/s (${range})`,
        target: `≥ ${alone}`,
        isMet: rate >= alone,
        ...surroundings,
      })
    }
    if (values.only === 'alone') return
    const { devices } = await loadDevices(sql, Number(values.devices))
    const store = new DeviceStore({ sql, now: Date.now })
    await backend.withQueue({ sql: queueSql, logger }, async ({ queue, readStoreBytes }) => {
      const { rate, range, ...surroundings } = await repeatRate(
        async () => (await measureWay(queue, store, 0, logger)).targetsPerSecond,
      )
      add({
        name: `${backend.name}: from ${devices} device rows to outcomes`,
        value: `${Math.round(rate)} targets/s (${range})`,
        target: `≥ ${way}`,
        isMet: rate >= way,
        ...surroundings,
      })
      const beforeBytes = await readStoreBytes()
      const { single, memory } = await measureWay(queue, store, SINGLE_EVERY_MS, logger)
      add({
        name: `${backend.name}: a single send during the broadcast, answer to provider`,
        value: `${single.p50Ms.toFixed(2)} ms (${single.count} sends)`,
        target: `p50 < ${MAX_SINGLE_MS} ms`,
        isMet: single.p50Ms < MAX_SINGLE_MS,
        p50Ms: single.p50Ms,
        p99Ms: single.p99Ms,
      })
      add({
        name: `${backend.name}: memory of the worker, first and last quarter of the broadcast`,
        value: `${Math.round(memory.first / 2 ** 20)} and ${Math.round(memory.last / 2 ** 20)} MB`,
        target: 'flat',
        isMet: memory.last <= memory.first * 1.2,
      })
      if (beforeBytes === undefined) return
      add({
        name: `${backend.name}: memory of the store before and after`,
        value: `${Math.round(beforeBytes / 2 ** 20)} and ${Math.round(((await readStoreBytes()) ?? 0) / 2 ** 20)} MB`,
        target: '',
        isMet: undefined,
      })
    })
  })
}

await writeReport(findResultFile('queue', values), checks)
console.log()
printReport(checks)

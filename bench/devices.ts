// Devices and topics: npm run bench:devices -- [--devices N] [--only pages|rates|import] [--keep] [--json FILE]
//
// The database is a new PostgreSQL with the embedded server's settings: fsync and synchronous_commit are on. PostgreSQL
// makes the rows. The measured calls go through DeviceStore, and the import through the command line.
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import type { Sql } from '../src/database/pool.ts'
import { DeviceStore } from '../src/devices/device-store.ts'
import { makeLogger } from '../src/observability/log.ts'
import { type Load, loadDevices } from './devices/device-data.ts'
import { measureImport } from './devices/device-import.ts'
import { measurePages, measureRarePages } from './devices/device-pages.ts'
import { measureCommit, measureRegister, measureSizes, measureWalk } from './devices/device-rates.ts'
import { type Check, printReport, writeReport } from './harness/report.ts'
import { findResultFile, RESULT_OPTIONS } from './harness/results.ts'
import { withDatabase } from './harness/with-database.ts'

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '1000000' },
    only: { type: 'string' },
    ...RESULT_OPTIONS,
  },
})

const logger = makeLogger({ level: 'error', file: '' })

async function* run(sql: Sql, dsn: string): AsyncGenerator<Check> {
  const devices = Number(values.devices)
  if (values.only !== 'import') {
    const load = await loadDevices(sql, devices)
    console.log(`${load.devices} devices, ${load.subscriptions} subscriptions on ${cpus().length} cores`)
    yield* measureLoad(sql, load)
  }
  if (values.only === undefined || values.only === 'import') yield* measureImport({ sql, dsn }, devices)
}

async function* measureLoad(sql: Sql, load: Load): AsyncGenerator<Check> {
  const store = new DeviceStore({ sql, now: Date.now })
  yield* await measureSizes(sql, load)
  if (values.only !== 'rates') {
    yield* measurePages(sql, store)
    yield* measureRarePages(sql, store)
  }
  if (values.only !== 'pages') {
    yield await measureWalk(store, load.devices)
    yield await measureCommit(sql)
    yield await measureRegister(store)
  }
}

const checks = await withDatabase(logger, async ({ sql, dsn }) => {
  const all: Check[] = []
  for await (const check of run(sql, dsn)) {
    all.push(check)
    printReport([check])
  }
  return all
})
const name = values.only === undefined ? 'devices' : `devices-${values.only}`
await writeReport(findResultFile(name, values), checks)
console.log()
printReport(checks)

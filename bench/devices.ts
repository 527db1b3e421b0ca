// Devices and topics at their full size: npx tsx bench/devices.ts [--devices N] [--only pages|rates|import]
//
// On a PostgreSQL of its own, as it comes with the server: fsync and synchronous_commit on. Rows are made by the server,
// everything that is measured goes through DeviceStore, and the import through the command line.
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startEmbeddedPostgres } from '../src/database/embedded.ts'
import { migrate } from '../src/database/migrate.ts'
import { openDatabase, type Sql } from '../src/database/pool.ts'
import { DeviceStore } from '../src/devices/device-store.ts'
import { makeLogger } from '../src/observability/log.ts'
import { type Load, loadDevices } from './devices/device-data.ts'
import { measureImport } from './devices/device-import.ts'
import { measurePages, measureRarePages } from './devices/device-pages.ts'
import { measureCommit, measureRegister, measureSizes, measureWalk } from './devices/device-rates.ts'
import { type Check, printReport } from './harness/report.ts'

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '1000000' },
    only: { type: 'string' },
    out: { type: 'string', default: 'bench/results' },
  },
})

const logger = makeLogger({ level: 'error', file: '' })

/** Runs `work` on a database that is removed afterwards. */
async function withDatabase<T>(work: (sql: Sql, dsn: string) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'centripush-bench-'))
  await chmod(dataDir, 0o755)
  const server = await startEmbeddedPostgres({ dataDir, logger })
  const sql = openDatabase({ dsn: server.dsn, maxConnections: 20, statementTimeoutMs: 0 })
  try {
    await migrate(sql, logger)
    return await work(sql, server.dsn)
  } finally {
    await sql.end()
    await server.stop()
    await rm(dataDir, { recursive: true })
  }
}

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

const checks = await withDatabase(async (sql, dsn) => {
  const all: Check[] = []
  for await (const check of run(sql, dsn)) {
    all.push(check)
    printReport([check])
  }
  return all
})
await mkdir(values.out, { recursive: true })
const name = values.only === undefined ? 'devices' : `devices-${values.only}`
const about = {
  command: `npx tsx bench/${process.argv
    .slice(1)
    .join(' ')
    .replace(/^.*bench\//, '')}`,
  date: new Date().toISOString(),
}
await writeFile(join(values.out, `${name}.json`), `${JSON.stringify({ ...about, checks }, undefined, 2)}\n`)
console.log()
printReport(checks)

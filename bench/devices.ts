// Devices and topics at their full size: npx tsx bench/devices.ts [--devices N] [--only pages|rates]
//
// On a PostgreSQL of its own, as it comes with the server: fsync and synchronous_commit on. Rows are made by the server,
// everything that is measured goes through DeviceStore.
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startEmbeddedPostgres } from '../src/database/embedded.ts'
import { migrate } from '../src/database/migrate.ts'
import { openDatabase, type Sql } from '../src/database/pool.ts'
import { DeviceStore } from '../src/devices/device-store.ts'
import { makeLogger } from '../src/observability/log.ts'
import { loadDevices } from './device-data.ts'
import { measurePages, measureRarePages } from './device-pages.ts'
import { measureCommit, measureRegister, measureSizes, measureWalk } from './device-rates.ts'
import { type Check, printReport } from './report.ts'

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '1000000' },
    only: { type: 'string' },
    out: { type: 'string', default: 'bench/results' },
  },
})

const logger = makeLogger({ level: 'error', file: '' })

/** Runs `work` on a database that is removed afterwards. */
async function withDatabase<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'centripush-bench-'))
  await chmod(dataDir, 0o755)
  const server = await startEmbeddedPostgres({ dataDir, logger })
  const sql = openDatabase({ dsn: server.dsn, maxConnections: 20, statementTimeoutMs: 0 })
  try {
    await migrate(sql, logger)
    return await work(sql)
  } finally {
    await sql.end()
    await server.stop()
    await rm(dataDir, { recursive: true })
  }
}

async function run(sql: Sql): Promise<Check[]> {
  const store = new DeviceStore({ sql, now: Date.now })
  const load = await loadDevices(sql, Number(values.devices))
  console.log(`${load.devices} devices, ${load.subscriptions} subscriptions on ${cpus().length} cores`)
  const checks: Check[] = []
  const add = (...more: Check[]) => {
    checks.push(...more)
    for (const check of more) printReport([check])
  }
  add(...(await measureSizes(sql, load)))
  if (values.only !== 'rates') {
    for await (const check of measurePages(sql, store)) add(check)
    for await (const check of measureRarePages(sql, store)) add(check)
  }
  if (values.only !== 'pages') {
    add(await measureWalk(store, load.devices))
    add(await measureCommit(sql))
    add(await measureRegister(store))
  }
  return checks
}

const checks = await withDatabase(run)
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

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import * as v from 'valibot'
import type { TargetEvent } from '../../src/analytics/analytics.ts'
import { PostgresAnalytics } from '../../src/analytics/postgres/postgres-analytics.ts'
import { Spool } from '../../src/analytics/spool/spool.ts'
import type { Sql } from '../../src/database/pool.ts'
import { addAnalyticsMetrics } from '../../src/observability/analytics-metrics.ts'
import type { Logger } from '../../src/observability/log.ts'
import { withSurroundings } from '../harness/measure.ts'
import { readCpuMs } from '../harness/process-times.ts'
import type { Check } from '../harness/report.ts'
import { nameDevice, nameUser } from './sample-rows.ts'

const ROWS = 300_000
const BATCH = 500

/** Measures what a row of a failed target costs this process and PostgreSQL. */
export async function measureRow(sql: Sql, logger: Logger): Promise<Check> {
  const { node, backend, wal, ...load } = await withSurroundings(() => recordRows(sql, logger))
  return {
    name: 'a recorded row, PostgreSQL',
    value: `${node.toFixed(2)} µs here, ${backend.toFixed(2)} µs in PostgreSQL, ${wal.toFixed(0)} B of WAL`,
    target: '',
    isMet: undefined,
    ...load,
  }
}

async function recordRows(sql: Sql, logger: Logger) {
  const dataDir = await mkdtemp(join(tmpdir(), 'centripush-bench-'))
  const analytics = new PostgresAnalytics({
    sql,
    level: 'small_and_failures',
    spool: await Spool.open(dataDir, 'analytics-postgresql'),
    makeMetrics: addAnalyticsMetrics(new Registry()),
    logger,
    now: Date.now,
  })
  const source = { uid: 'a-broadcast', provider: 'fcm', recipientType: 'token', isSmall: false }
  const events = Array.from({ length: BATCH }, (_, at) => makeEvent(at))
  const before = await readState(sql)
  const cpu = process.cpuUsage()
  for (let recorded = 0; recorded < ROWS; recorded += BATCH) {
    await analytics.recordEvents(source, events)
    while (analytics.rows > 50_000) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await analytics.stop(60_000)
  await rm(dataDir, { recursive: true })
  const { user, system } = process.cpuUsage(cpu)
  const after = await readState(sql)
  return {
    node: (user + system) / ROWS,
    backend: ((after.cpuMs - before.cpuMs) * 1000) / ROWS,
    wal: (after.wal - before.wal) / ROWS,
  }
}

function makeEvent(number: number): TargetEvent {
  return {
    ...{ status: 'failed', recipient: '', deviceId: nameDevice(number), platform: 'android', user: nameUser(number) },
    ...{ messageId: '', errorCode: 'UNREGISTERED', errorMessage: 'Requested entity was not found.' },
  }
}

const State = v.object({ pids: v.array(v.number()), wal: v.number() })

/** The CPU time of all connections, and the written WAL in bytes. */
async function readState(sql: Sql): Promise<{ cpuMs: number; wal: number }> {
  const [row] = await sql`
    select array_agg(pid) as pids, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as wal
    from pg_stat_activity where backend_type = 'client backend'`
  const { pids, wal } = v.parse(State, row)
  const times = await Promise.all(pids.map(readCpuMs))
  return { cpuMs: times.reduce((sum, ms) => sum + ms, 0), wal }
}

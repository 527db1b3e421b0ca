// Analytics: npm run bench:analytics -- [--store postgresql|clickhouse] [--only explain|row|reports] [--rows N]
//   [--keep] [--json FILE]
//
// explain: explain_push and push_events on 10,000,000 rows of seven days. row: the cost of a recorded row. reports:
// update_push_status from 32 connections. The databases are new ones on this machine.
import { parseArgs } from 'node:util'
import { PostgresReader } from '../src/analytics/postgres/postgres-reader.ts'
import { makeLogger } from '../src/observability/log.ts'
import { TestClickhouse } from '../tests/support/clickhouse/clickhouse-server.ts'
import { measureExplain } from './analytics/explain-times.ts'
import { fillClickhouse, openReader } from './analytics/fill-clickhouse.ts'
import { fillPostgres } from './analytics/fill-postgres.ts'
import { measureReports } from './analytics/report-rates.ts'
import { measureRow } from './analytics/row-cost.ts'
import { type Check, printReport, writeReport } from './harness/report.ts'
import { findResultFile, RESULT_OPTIONS } from './harness/results.ts'
import { limitTime, using } from './harness/teardown.ts'
import { withDatabase } from './harness/with-database.ts'

/** Filling the tables takes most of it. */
const TIME_LIMIT_MS = 15 * 60_000

const { values } = parseArgs({
  options: {
    store: { type: 'string', default: 'postgresql' },
    only: { type: 'string' },
    rows: { type: 'string', default: '10000000' },
    ...RESULT_OPTIONS,
  },
})
const rows = Number(values.rows)
const isWanted = (part: string) => values.only === undefined || values.only === part
const logger = makeLogger({ level: 'error', file: '' })

limitTime(TIME_LIMIT_MS)
const checks: Check[] = []
const add = (check: Check) => {
  checks.push(check)
  printReport([check])
}

await withDatabase(logger, async ({ dsn, sql, queueSql }) => {
  if (values.store === 'postgresql') {
    if (isWanted('row')) add(await measureRow(sql, logger))
    if (isWanted('explain')) {
      await fillPostgres(sql, rows)
      for (const check of await measureExplain('PostgreSQL', { sql, queueSql, rows }, new PostgresReader(sql)))
        add(check)
    }
    if (isWanted('reports')) add(await measureReports('PostgreSQL', { dsn, clickhouse: undefined }))
    return
  }
  await using(TestClickhouse.start(), async (clickhouse) => {
    if (isWanted('explain')) {
      await fillClickhouse(clickhouse, rows)
      await using(openReader(clickhouse.url), async ({ reader }) => {
        for (const check of await measureExplain('ClickHouse', { sql, queueSql, rows }, reader)) add(check)
      })
    }
    if (isWanted('reports')) add(await measureReports('ClickHouse', { dsn, clickhouse: clickhouse.url }))
  })
})
await writeReport(findResultFile(`analytics-${values.store}`, values), checks)
console.log()
printReport(checks)

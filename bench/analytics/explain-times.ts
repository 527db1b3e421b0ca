import type { EventReader } from '../../src/analytics/analytics.ts'
import type { Sql } from '../../src/database/pool.ts'
import { DeviceStore } from '../../src/devices/device-store.ts'
import { explainPush } from '../../src/explain/explain-push.ts'
import { makeLogger } from '../../src/observability/log.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { summarize, time, withSurroundings } from '../harness/measure.ts'
import type { Check } from '../harness/report.ts'
import { DEVICES, nameDevice, nameSend, nameUser } from './sample-rows.ts'

const CALLS = 30
const TARGET_MS = 300

interface Filled {
  sql: Sql
  queueSql: Sql
  rows: number
}

/** Measures explain_push and push_events on filled tables. */
export async function measureExplain(store: string, filled: Filled, events: EventReader): Promise<Check[]> {
  const { sql, queueSql, rows } = filled
  const queue = new PostgresQueue({
    sql: queueSql,
    logger: makeLogger({ level: 'error', file: '' }),
    leaseMs: 15_000,
    maxJobs: 1000,
  })
  const devices = new DeviceStore({ sql, now: Date.now })
  const deps = { queue, devices, events, providers: new Set(['fcm' as const]), hasAllRows: true, now: Date.now }
  const all = { uid: '', deviceIds: [], user: '', includesAttempts: true, cursor: '', limit: 100 }
  const calls: [string, (uid: string, device: number) => Promise<unknown>][] = [
    ['explain_push of a device', (uid, device) => explainPush(deps, { uid, deviceId: nameDevice(device), user: '' })],
    ['explain_push of a user', (uid, device) => explainPush(deps, { uid, deviceId: '', user: nameUser(device) })],
    ['push_events of a send', (uid) => events.listEvents({ ...all, uid })],
    ['push_events of a device', (_, device) => events.listEvents({ ...all, deviceIds: [nameDevice(device)] })],
    ['push_events of a user', (_, device) => events.listEvents({ ...all, user: nameUser(device) })],
  ]
  const checks: Check[] = []
  for (const [name, call] of calls) {
    const { p50Ms, p99Ms, ...load } = await withSurroundings(async () => {
      const timesMs: number[] = []
      for (let count = 0; count < CALLS; count++) {
        const row = Math.floor(((count + 0.5) * rows) / CALLS)
        timesMs.push(await time(() => call(nameSend(Math.floor(row / DEVICES)), row % DEVICES)))
      }
      return summarize(timesMs)
    })
    checks.push({
      name: `${name}, ${store}, ${rows} rows`,
      value: `${p99Ms.toFixed(0)} ms at most`,
      target: `≤ ${TARGET_MS} ms`,
      isMet: p99Ms <= TARGET_MS,
      p50Ms,
      p99Ms,
      ...load,
    })
  }
  await queue.close()
  return checks
}

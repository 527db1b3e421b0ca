import { setTimeout as delay } from 'node:timers/promises'
import { openDatabase } from '../../src/database/pool.ts'
import { KillablePostgres } from '../support/killable-postgres.ts'
import type { Backend } from './backend.ts'

/** Devices and queue in one PostgreSQL, the default of the server. */
export async function startPostgresBackend(): Promise<Backend> {
  const postgres = await KillablePostgres.start()
  const queueSettings = { type: 'postgresql' } as const
  return {
    name: 'postgresql',
    port: Number(new URL(postgres.dsn).port),
    dsn: postgres.dsn,
    queueSettings,
    settingsVia: (port) => {
      const dsn = new URL(postgres.dsn)
      dsn.port = String(port)
      return { dsn: dsn.href, queueSettings }
    },
    killStore: () => postgres.kill(),
    restartStore: () => postgres.restart(),
    hangStore: (ms) => lockTables(postgres.dsn, ms),
    stop: () => postgres.stop(),
  }
}

/** Locks the tables that requests write to. */
async function lockTables(dsn: string, ms: number): Promise<void> {
  const sql = openDatabase({ dsn, maxConnections: 1, statementTimeoutMs: 0 })
  try {
    await sql.begin(async (tx) => {
      await tx`lock table push_sends, devices in access exclusive mode`
      await delay(ms)
    })
  } finally {
    await sql.end()
  }
}

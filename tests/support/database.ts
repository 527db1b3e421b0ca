import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { openDatabase, type Sql } from '../../src/database/pool.ts'
import { TEMPLATE_DATABASE, withDatabase } from './postgres-server.ts'

export interface TestDatabase {
  sql: Sql
  /** The same for a queue or limits, planned as the server plans them. */
  queueSql: Sql
  /** For further pools, or another process. */
  dsn: string
  /** Closes both and removes the database; whatever else is connected to it is cut. */
  drop(): Promise<void>
}

const MAX_CONNECTIONS = 20

/** A database of the test's own, migrated and without rows; `empty` is without tables too. */
export async function createTestDatabase(content: 'migrated' | 'empty' = 'migrated'): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  const template = content === 'migrated' ? TEMPLATE_DATABASE : 'template1'
  await onServer((server) => server`create database ${server(name)} template ${server(template)}`)
  const dsn = withDatabase(inject('postgresDsn'), name)
  const sql = openDatabase({ dsn, maxConnections: MAX_CONNECTIONS })
  const queueSql = openDatabase({ dsn, maxConnections: MAX_CONNECTIONS, plans: 'once' })
  const drop = async () => {
    await Promise.all([sql.end({ timeout: 0 }), queueSql.end({ timeout: 0 })])
    await onServer((server) => server`drop database ${server(name)} with (force)`)
  }
  return { sql, queueSql, dsn, drop }
}

async function onServer(work: (server: Sql) => Promise<unknown>): Promise<void> {
  const server = openDatabase({ dsn: inject('postgresDsn'), maxConnections: 1 })
  try {
    await work(server)
  } finally {
    await server.end()
  }
}

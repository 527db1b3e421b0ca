import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { openDatabase, type Sql } from '../../src/database/pool.ts'
import { TEMPLATE_DATABASE, withDatabase } from './postgres-server.ts'

/** The database of a test. */
export interface TestDatabase {
  sql: Sql
  /** A pool for queues and limits, with the plan settings of the server. */
  queueSql: Sql
  /** The connection string, for other pools or processes. */
  dsn: string
  /** Closes both pools and removes the database. Other connections to it are closed. */
  drop(): Promise<void>
}

const MAX_CONNECTIONS = 20

/** Makes a new database, migrated and without rows; an `empty` one has no tables. */
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

// One PostgreSQL for the whole run: the embedded one, in its own directory. createTestDatabase() makes databases on it.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/database/embedded.ts'
import { migrate } from '../../src/database/migrate.ts'
import { openDatabase } from '../../src/database/pool.ts'
import { makeLogger } from '../../src/observability/log.ts'

/** A migrated database without rows: the template of all databases of tests. */
export const TEMPLATE_DATABASE = 'centripush_template'

declare module 'vitest' {
  interface ProvidedContext {
    /** The connection string of the server's default database. */
    postgresDsn: string
  }
}

let dataDir: string
let server: EmbeddedPostgres

/** Called by vitest before the first test. */
export async function setup(project: TestProject): Promise<void> {
  const logger = makeLogger({ level: 'error', file: '' })
  dataDir = await mkdtemp(join(tmpdir(), 'centripush-tests-'))
  // For root, the server runs as another user, which needs access to the directory.
  await chmod(dataDir, 0o755)
  server = await startEmbeddedPostgres({ dataDir, logger })
  await makeTemplate(server.dsn)
  await forgoDurability(server.dsn)
  project.provide('postgresDsn', server.dsn)
}

async function makeTemplate(dsn: string): Promise<void> {
  const sql = openDatabase({ dsn, maxConnections: 1 })
  await sql`create database ${sql(TEMPLATE_DATABASE)}`
  await sql.end()
  const template = openDatabase({ dsn: withDatabase(dsn, TEMPLATE_DATABASE), maxConnections: 1 })
  await migrate(template, makeLogger({ level: 'error', file: '' }))
  await template.end()
}

/** Turns off fsync, with which copying a database takes 0.3 s. Tests of crashes start their own server. */
async function forgoDurability(dsn: string): Promise<void> {
  const sql = openDatabase({ dsn, maxConnections: 1 })
  await sql`alter system set fsync = off`
  await sql`select pg_reload_conf()`
  await sql.end()
}

/** The connection string of another database on the server of `dsn`. */
export function withDatabase(dsn: string, name: string): string {
  const url = new URL(dsn)
  url.pathname = name
  return url.href
}

/** Called by vitest after the last test. */
export async function teardown(): Promise<void> {
  await server.stop()
  await rm(dataDir, { recursive: true })
}

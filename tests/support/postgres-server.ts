// One PostgreSQL for the whole run: the embedded one, in a directory of its own. Tests get databases of it from
// createTestDatabase().
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/database/embedded.ts'
import { migrate } from '../../src/database/migrate.ts'
import { openDatabase } from '../../src/database/pool.ts'
import { makeLogger } from '../../src/observability/log.ts'

/** A migrated database without rows, which every test's database is a copy of. */
export const TEMPLATE_DATABASE = 'centripush_template'

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the server's own database; a test makes its own in it. */
    postgresDsn: string
  }
}

let dataDir: string
let server: EmbeddedPostgres

/** Called by vitest before the first test. */
export async function setup(project: TestProject): Promise<void> {
  const logger = makeLogger({ level: 'error', file: '' })
  dataDir = await mkdtemp(join(tmpdir(), 'centripush-tests-'))
  // As root the server runs as another user, who has to get in.
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

/** Copying a database takes a third of a second when it has to reach the disk. Tests of crashes start their own server. */
async function forgoDurability(dsn: string): Promise<void> {
  const sql = openDatabase({ dsn, maxConnections: 1 })
  await sql`alter system set fsync = off`
  await sql`select pg_reload_conf()`
  await sql.end()
}

/** `dsn` for another database of the same server. */
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

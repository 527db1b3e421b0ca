// Migrations of the database schema: the files of schema/postgres are applied in the order of their numbers, each in
// its own transaction under an advisory lock. If several processes start together, the first one migrates and the
// others wait for it.
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import { UserError } from '../config/user-error.ts'
import type { Logger } from '../observability/log.ts'
import type { Sql, Transaction } from './pool.ts'
import { runTransaction } from './transaction.ts'

/** The key of the advisory lock for migrations: an arbitrary number, the same in every version. */
const MIGRATION_LOCK = 7_233_114_265
const SCHEMA_DIRECTORY = fileURLToPath(new URL('../../schema/postgres/', import.meta.url))

/** The schema of the database is newer or older than this version of centripush needs. */
export class SchemaError extends UserError {
  override readonly name = 'SchemaError'
}

interface Migration {
  version: number
  name: string
  path: string
}

/**
 * Brings the schema up to date. Several processes may call it at the same time.
 * @param directory the directory of the `NNNN_name.sql` files
 * @throws SchemaError if the schema is newer than this version; it is unchanged then
 */
export async function migrate(sql: Sql, logger: Logger, directory = SCHEMA_DIRECTORY): Promise<void> {
  const known = await listMigrations(directory)
  for (;;) {
    const applied = await runTransaction(sql, (tx) => applyNext(tx, known))
    if (!applied) return
    logger.info({ migration: applied.name }, 'database: migration applied')
  }
}

/**
 * Checks for a start without migrations that the schema is up to date.
 * @throws SchemaError if the schema is newer or older than this version
 */
export async function checkSchema(sql: Sql, directory = SCHEMA_DIRECTORY): Promise<void> {
  const known = await listMigrations(directory)
  const [missing] = await runTransaction(sql, async (tx) => pendingMigrations(known, await lockAndReadVersions(tx)))
  if (missing) throw new SchemaError(`the database lacks migration ${missing.name}: run "centripush migrate" first`)
}

async function applyNext(tx: Transaction, known: readonly Migration[]): Promise<Migration | undefined> {
  const [next] = pendingMigrations(known, await lockAndReadVersions(tx))
  if (!next) return undefined
  await tx.unsafe(await readFile(next.path, 'utf8'))
  await tx`insert into centripush_migrations (version, name) values (${next.version}, ${next.name})`
  return next
}

/**
 * Reads the versions of the schema that were applied. A lock prevents changes by other processes until the transaction
 * ends.
 */
async function lockAndReadVersions(tx: Transaction): Promise<Map<number, string>> {
  // The pool's time limit for statements must not end a long migration, or the wait for one of another process.
  await tx`set local statement_timeout = 0`
  await tx`select pg_advisory_xact_lock(${MIGRATION_LOCK})`
  await tx`
    create table if not exists centripush_migrations (
      version integer primary key,
      name text not null,
      applied_at timestamptz not null default clock_timestamp()
    )`
  const Row = v.object({ version: v.number(), name: v.string() })
  const rows = await tx`select version, name from centripush_migrations`
  return new Map(rows.map((row) => v.parse(Row, row)).map(({ version, name }) => [version, name]))
}

function pendingMigrations(known: readonly Migration[], applied: ReadonlyMap<number, string>): Migration[] {
  const knownVersions = new Set(known.map(({ version }) => version))
  const unknown = [...applied].find(([version]) => !knownVersions.has(version))
  if (unknown) {
    const [, name] = unknown
    throw new SchemaError(
      `the database was migrated by a newer centripush (${name}): start that version or a later one`,
    )
  }
  return known.filter(({ version }) => !applied.has(version))
}

async function listMigrations(directory: string): Promise<Migration[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.sql')).sort()
  const migrations = files.map((file) => {
    const version = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(file)?.[1])
    if (!version) throw new SchemaError(`${file}: a migration is named NNNN_name.sql`)
    return { version, name: file.slice(0, -'.sql'.length), path: `${directory}/${file}` }
  })
  const twice = migrations.find(({ version }, index) => migrations[index + 1]?.version === version)
  if (twice) throw new SchemaError(`two migrations have the number ${twice.version}`)
  return migrations
}

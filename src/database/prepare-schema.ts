import { UserError } from '../config/user-error.ts'
import type { Logger } from '../observability/log.ts'
import { readDatabaseError } from './database-error.ts'
import { checkSchema, migrate } from './migrate.ts'
import type { Sql } from './pool.ts'

/**
 * Prepares the schema for a start: brings it up to date, or only checks it if `migrates` is false.
 * @throws SchemaError if it does not fit this version, UserError if the database refuses or can't be reached
 */
export async function prepareSchema(sql: Sql, logger: Logger, migrates: boolean): Promise<void> {
  try {
    await (migrates ? migrate(sql, logger) : checkSchema(sql))
  } catch (error) {
    const known = readDatabaseError(error)
    if (!known) throw error
    const advice = 'check that it is running and that database.postgresql.dsn is right'
    throw new UserError(`database: can't be used: ${known.message} (${known.code}); ${advice}`, { cause: known })
  }
}

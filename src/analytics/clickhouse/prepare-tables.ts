// Prepares the tables of a server: makes missing ones, and checks those that exist.
import * as v from 'valibot'
import { UserError } from '../../config/user-error.ts'
import type { ClickhouseServer } from './clickhouse-server.ts'
import { explainError } from './insert-error.ts'
import { type Column, NOTIFICATIONS } from './table-definitions.ts'
import {
  findForeignColumns,
  listTables,
  makeAddColumns,
  makeCreateDatabase,
  makeCreateTable,
  makeDeduplicationAdvice,
  type Table,
  type TableOptions,
} from './table-statements.ts'

/** The tables do not fit this version. The message names the statements to run. */
export class TableError extends UserError {
  override readonly name = 'TableError'
}

export interface PrepareOptions extends TableOptions {
  /** Whether missing tables are made; otherwise they are an error. */
  makesTables: boolean
}

/**
 * Makes the missing tables on a server, and checks the columns of the others. Several processes may do it at once.
 * @throws TableError if a table is missing and may not be made, or has other columns; or errors of ClickHouse
 */
export async function prepareTables(server: ClickhouseServer, options: PrepareOptions): Promise<void> {
  const missing = await listMissing(server, options)
  if (missing.length > 0 && !options.makesTables) throw refuse(server, options, 'tables are missing', missing)
  await makeTables(server, options, missing)
  for (const table of listTables(options))
    checkColumns(server, options, table, await readColumns(server, options, table.name))
}

/**
 * The statement that lets the table `notifications` of a server detect repeated inserts. Undefined if the table does so
 * already, or if the user of the connection can't read its definition.
 */
export async function adviseDeduplication(
  server: ClickhouseServer,
  options: TableOptions,
): Promise<string | undefined> {
  const Row = v.object({ engine: v.string(), create_table_query: v.string() })
  const [row] = await server.query(
    'SELECT engine, create_table_query FROM system.tables WHERE database = {database:String} AND name = {table:String}',
    { database: options.database, table: NOTIFICATIONS.name },
  )
  const { engine, create_table_query: definition } = v.parse(
    v.optional(Row, { engine: '', create_table_query: '' }),
    row,
  )
  const detects = engine !== 'MergeTree' || /\bnon_replicated_deduplication_window = [1-9]/.test(definition)
  return detects ? undefined : makeDeduplicationAdvice(options)
}

/** The statements that make the missing parts of the schema. */
async function listMissing(server: ClickhouseServer, options: PrepareOptions): Promise<string[]> {
  const { database } = options
  const databases = await server.query('SELECT name FROM system.databases WHERE name = {database:String}', { database })
  const statements = databases.length === 0 ? [makeCreateDatabase(options)] : []
  for (const table of listTables(options)) {
    if ((await readColumns(server, options, table.name)).length === 0) statements.push(makeCreateTable(options, table))
  }
  return statements
}

async function makeTables(server: ClickhouseServer, options: PrepareOptions, statements: readonly string[]) {
  for (const statement of statements) {
    await server.run(statement).catch((error: unknown) => {
      throw refuse(server, options, `can't be made: ${explainError(error)}`, statements, error)
    })
  }
}

const Columns = v.array(v.object({ name: v.string(), type: v.string() }))

async function readColumns(server: ClickhouseServer, { database }: TableOptions, table: string): Promise<Column[]> {
  const rows = await server.query(
    'SELECT name, type FROM system.columns WHERE database = {database:String} AND table = {table:String}',
    { database, table },
  )
  return v.parse(Columns, rows)
}

function checkColumns(
  server: ClickhouseServer,
  options: PrepareOptions,
  table: Table,
  columns: readonly Column[],
): void {
  const additions = makeAddColumns(options, table, columns)
  if (additions.length > 0) throw refuse(server, options, `the table ${table.name} lacks columns`, additions)
  const [foreign] = findForeignColumns(table.definition, columns)
  if (foreign) {
    const { name } = table
    throw refuse(server, options, `the column ${name}.${foreign.name} has the unexpected type ${foreign.type}`, [
      `RENAME TABLE \`${options.database}\`.\`${name}\` TO \`${options.database}\`.\`${name}_old\``,
      makeCreateTable(options, table),
    ])
  }
}

function refuse(
  { url }: ClickhouseServer,
  { database }: TableOptions,
  problem: string,
  statements: readonly string[],
  cause?: unknown,
): TableError {
  const list = statements.map((statement) => `\n${statement};`).join('')
  return new TableError(`clickhouse_analytics: ${problem} in database ${database} at ${url}; run:${list}`, { cause })
}

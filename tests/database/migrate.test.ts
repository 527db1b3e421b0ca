import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkSchema, migrate } from '../../src/database/migrate.ts'
import { openDatabase } from '../../src/database/pool.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'

const logger = makeTestLogger()
let database: TestDatabase
let directory: string

beforeEach(async () => {
  database = await createTestDatabase('empty')
  directory = await mkdtemp(join(tmpdir(), 'centripush-migrations-'))
})

afterEach(async () => {
  await database.drop()
  await rm(directory, { recursive: true })
})

async function writeMigration(file: string, text: string): Promise<void> {
  await writeFile(join(directory, file), text)
}

async function appliedVersions(): Promise<unknown[]> {
  const rows = await database.sql`select version from centripush_migrations order by version`
  return rows.map(({ version }) => version)
}

test('eight simultaneous starts apply each migration once', async () => {
  const pools = Array.from({ length: 8 }, () => openDatabase({ dsn: database.dsn, maxConnections: 1 }))
  await Promise.all(pools.map((sql) => migrate(sql, logger)))
  await Promise.all(pools.map((sql) => sql.end()))
  const versions = await appliedVersions()
  expect(versions).toEqual([...new Set(versions)])
  await checkSchema(database.sql)
  expect(await database.sql`select from devices`).toEqual([])
})

test('only missing migrations are applied, in the order of their numbers', async () => {
  await writeMigration('0001_one.sql', 'create table steps (step integer); insert into steps values (1);')
  await migrate(database.sql, logger, directory)
  await writeMigration('0010_ten.sql', 'insert into steps values (10);')
  await writeMigration('0002_two.sql', 'insert into steps values (2);')
  await migrate(database.sql, logger, directory)
  expect((await database.sql`select step from steps`).map(({ step }) => step)).toEqual([1, 2, 10])
})

test('a failed migration is rolled back, and those before it remain', async () => {
  await writeMigration('0001_one.sql', 'create table one ();')
  await writeMigration('0002_two.sql', 'create table two (); select 1 / 0;')
  await expect(migrate(database.sql, logger, directory)).rejects.toThrow('division by zero')
  expect(await appliedVersions()).toEqual([1])
  expect(await database.sql`select to_regclass('one') is not null as one, to_regclass('two') as two`).toEqual([
    { one: true, two: null },
  ])
})

test('a schema newer than the server prevents the start and is unchanged', async () => {
  await migrate(database.sql, logger)
  await database.sql`insert into centripush_migrations (version, name) values (9999, '9999_from_the_future')`
  await expect(migrate(database.sql, logger)).rejects.toThrow(/newer centripush \(9999_from_the_future\)/)
  await expect(checkSchema(database.sql)).rejects.toThrow(/newer centripush/)
})

test('a server without migrations does not start on an older schema', async () => {
  await expect(checkSchema(database.sql)).rejects.toThrow(/lacks migration 0001_devices: run "centripush migrate"/)
})

test.each([
  ['a name without a number', ['devices.sql'], /NNNN_name\.sql/],
  ['two of one number', ['0001_a.sql', '0001_b.sql'], /two migrations have the number 1/],
])('%s is refused before anything is applied', async (_, files, message) => {
  for (const file of files) await writeMigration(file, 'select 1')
  await expect(migrate(database.sql, logger, directory)).rejects.toThrow(message)
})

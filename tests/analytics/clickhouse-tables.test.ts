// The tables at the start of a server: made, used as they are, or refused with the statements to run.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ClickhouseServer } from '../../src/analytics/clickhouse/clickhouse-server.ts'
import {
  adviseDeduplication,
  type PrepareOptions,
  prepareTables,
  TableError,
} from '../../src/analytics/clickhouse/prepare-tables.ts'
import { TestClickhouse } from '../support/clickhouse/clickhouse-server.ts'
import { describeOnClickhouse } from './describe-on-clickhouse.ts'

const DATABASE = 'push-analytics'
const TABLES: PrepareOptions = { database: DATABASE, cluster: '', ttl: '30 DAY', makesTables: true }

/** The statement of Centrifugo PRO's documentation. @param time the type of the column `time` */
function makeProTable(time = 'DateTime', without = ''): string {
  const names = ['uid', 'provider', 'type', 'recipient', 'device_id', 'platform', 'user', 'msg_id', 'status']
  const columns = [...names, 'error_message', 'error_code'].filter((name) => name !== without)
  return `CREATE TABLE \`${DATABASE}\`.notifications (${columns.map((name) => `\`${name}\` String`).join(', ')},
    \`time\` ${time}) ENGINE = MergeTree PARTITION BY toYYYYMMDD(time) ORDER BY time
    TTL toDateTime(time) + toIntervalDay(7) SETTINGS index_granularity = 8192`
}

describeOnClickhouse('the tables', () => {
  let clickhouse: TestClickhouse
  let server: ClickhouseServer
  beforeAll(async () => {
    clickhouse = await TestClickhouse.start()
    server = new ClickhouseServer({ url: clickhouse.url, user: 'default', password: '', tls: {} })
  })
  afterAll(async () => {
    await server.close()
    await clickhouse.stop()
  })
  beforeEach(() => clickhouse.query(`DROP DATABASE IF EXISTS \`${DATABASE}\` SYNC`))

  const refusal = async (options = TABLES): Promise<string> => {
    const error = await prepareTables(server, options).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TableError)
    return error instanceof Error ? error.message : ''
  }
  /** Runs the statements that a message names. */
  const runStatements = async (message: string) => {
    for (const statement of message.split(';\n')) await clickhouse.query(statement.replace(/^.*run:\n/s, ''))
  }

  test('are made with columns of PRO, indexes, the time to live and a window of tokens', async () => {
    await prepareTables(server, TABLES)
    await prepareTables(server, TABLES)
    const definition = await clickhouse.query(`SHOW CREATE TABLE \`${DATABASE}\`.notifications FORMAT TSVRaw`)
    expect(definition).toContain('TTL time + toIntervalDay(30)')
    expect(definition).toContain('non_replicated_deduplication_window = 10000')
    expect(definition.match(/TYPE bloom_filter\(0\.01\) GRANULARITY 1/g)).toHaveLength(3)
    expect(await adviseDeduplication(server, TABLES)).toBeUndefined()
  })

  test('of PRO are used unchanged, and the statement for repeated inserts is named', async () => {
    await clickhouse.query(`CREATE DATABASE \`${DATABASE}\``)
    await clickhouse.query(makeProTable())
    const show = () => clickhouse.query(`SHOW CREATE TABLE \`${DATABASE}\`.notifications`)
    const before = await show()
    await prepareTables(server, TABLES)
    const advice = await adviseDeduplication(server, TABLES)
    expect(await show()).toBe(before)
    await clickhouse.query(advice ?? '')
    expect(await adviseDeduplication(server, TABLES)).toBeUndefined()
  })

  test('that are missing and may not be made are refused with statements that make them', async () => {
    const options = { ...TABLES, makesTables: false }
    const message = await refusal(options)
    expect(message).toContain(`tables are missing in database ${DATABASE} at ${clickhouse.url}; run:`)
    await runStatements(message)
    await prepareTables(server, options)
  })

  test('that lack a column are refused with the statement that adds it', async () => {
    await clickhouse.query(`CREATE DATABASE \`${DATABASE}\``)
    await clickhouse.query(makeProTable('DateTime', 'msg_id'))
    const message = await refusal()
    expect(message).toContain('ADD COLUMN IF NOT EXISTS `msg_id` String')
    await runStatements(message)
    await prepareTables(server, TABLES)
  })

  test('with a column of another type are refused with statements that make another table', async () => {
    await clickhouse.query(`CREATE DATABASE \`${DATABASE}\``)
    await clickhouse.query(makeProTable('DateTime64(3)'))
    const message = await refusal()
    expect(message).toContain('notifications.time has the unexpected type DateTime64(3)')
    await runStatements(message)
    await prepareTables(server, TABLES)
  })

  test.each(["DateTime('Europe/Berlin')", 'DateTime'])('with time as %s are accepted', async (type) => {
    await clickhouse.query(`CREATE DATABASE \`${DATABASE}\``)
    await clickhouse.query(makeProTable(type).replace('`status` String', '`status` LowCardinality(String)'))
    await prepareTables(server, TABLES)
  })
})

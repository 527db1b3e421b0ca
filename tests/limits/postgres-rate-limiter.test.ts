import { createHash } from 'node:crypto'
import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test, vi } from 'vitest'
import { migrate } from '../../src/database/migrate.ts'
import type { Queryable } from '../../src/database/pool.ts'
import { makeGrantUpkeep } from '../../src/limits/postgres/grant-upkeep.ts'
import { PostgresRateLimiter } from '../../src/limits/postgres/postgres-rate-limiter.ts'
import type { Answer } from '../../src/limits/rate-limiter.ts'
import { createTestDatabase } from '../support/database.ts'
import { countLockWaits } from '../support/lock-waits.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { describeRateLimiter } from './contract.ts'

const MIGRATIONS = resolve(import.meta.dirname, '../../schema/postgres')

describeRateLimiter('PostgreSQL', async () => {
  const { sql, queueSql, drop } = await createTestDatabase()
  return {
    open: () => new PostgresRateLimiter({ sql: queueSql }),
    // Pages of one key, so that it reads several pages.
    forget: () => makeGrantUpkeep(queueSql, 1)(new AbortController().signal),
    async countGrants() {
      const [row] = await sql<{ count: number }[]>`
        select coalesce(sum(cardinality(grants)) / 2, 0)::int as count from rate_limits`
      return row?.count ?? 0
    },
    async empty() {
      await sql`truncate rate_limits`
    },
    async moveAhead(ms: number) {
      await sql`
        update rate_limits set grants = array(
          select case when place % 2 = 1 then number + ${ms}::bigint else number end
          from unnest(grants) with ordinality as held (number, place) order by place)`
    },
    close: drop,
  }
})

test('grants that waited for a locked key have the time after the wait, also when they are repeated', async () => {
  const { sql, queueSql, drop } = await createTestDatabase()
  const limiter = new PostgresRateLimiter({ sql: queueSql })
  const policies = [{ rate: 2, intervalMs: 3_600_000 }]
  const [held, unknown, known] = ['a', 'b', 'c'] as const
  await limiter.take(
    [held, known].map((key) => ({ key, id: 'before' })),
    policies,
  )
  const asks = [held, unknown, known].map((key) => ({ key, id: 'after' }))
  let answers: Promise<Answer[]> | undefined
  const freedAtMs = await sql.begin(async (lock) => {
    await lock`select from rate_limits where key = ${held} for update`
    answers = limiter.take(asks, policies)
    await vi.waitFor(async () => expect(await countLockWaits(lock)).toBe(1))
    const heldUpAtMs = await readClock(lock)
    await vi.waitFor(async () => expect(await readClock(lock)).toBeGreaterThan(heldUpAtMs + 300))
    return await readClock(lock)
  })
  const grantedAtMs = (await answers)?.map((answer) => (answer.kind === 'granted' ? answer.grantedAtMs : 0)) ?? []
  for (const time of grantedAtMs) expect(time).toBeGreaterThanOrEqual(freedAtMs - 100)
  const again = await limiter.take(asks, policies)
  expect(again.map((answer) => answer.kind === 'granted' && answer.grantedAtMs)).toEqual(grantedAtMs)
  await drop()
})

async function readClock(sql: Queryable): Promise<number> {
  const [row] = await sql`select floor(date_part('epoch', clock_timestamp()) * 1000)::float8 as now`
  return Number(row?.now)
}

test('the migration keeps the grants of schema 0005 with their ids', async () => {
  const database = await createTestDatabase('empty')
  const { sql } = database
  const directory = await mkdtemp(join(tmpdir(), 'centripush-migrations-'))
  const files = (await readdir(MIGRATIONS)).filter((name) => name < '0006')
  await Promise.all(files.map((name) => copyFile(join(MIGRATIONS, name), join(directory, name))))
  await migrate(sql, makeTestLogger(), directory)
  // The ids of that version are 60 bits of a hash.
  const hash = (id: string) => BigInt(`0x${createHash('sha256').update(id).digest('hex').slice(0, 15)}`).toString()
  const ids = ['one', 'two', 'three']
  await sql`
    insert into rate_limits (key, times, ids, asked, decided_at, keep_count, keep_ms)
    select 'k', array[now, now + 1, now + 2], ${ids.map(hash)}::bigint[], array[0], now, 3, 3600000
    from (select floor(date_part('epoch', clock_timestamp()) * 1000)::bigint - 10 as now) as clock`
  await migrate(sql, makeTestLogger())
  const limiter = new PostgresRateLimiter({ sql: database.queueSql })
  const answers = await limiter.take(
    [...ids, 'four'].map((id) => ({ key: 'k', id })),
    [{ rate: 3, intervalMs: 3_600_000 }],
  )
  expect(answers.map(({ kind }) => kind)).toEqual(['granted', 'granted', 'granted', 'limited'])
  await rm(directory, { recursive: true })
  await database.drop()
})

import { makeGrantUpkeep } from '../../src/limits/postgres/grant-upkeep.ts'
import { PostgresRateLimiter } from '../../src/limits/postgres/postgres-rate-limiter.ts'
import { createTestDatabase } from '../support/database.ts'
import { describeRateLimiter } from './contract.ts'

describeRateLimiter('PostgreSQL', async () => {
  const { sql, queueSql, drop } = await createTestDatabase()
  return {
    open: () => new PostgresRateLimiter({ sql: queueSql }),
    // Pages of one key, so that it has to walk.
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

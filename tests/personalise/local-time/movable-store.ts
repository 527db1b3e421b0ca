// Queues with due times that a test can move.
import type { Redis } from 'ioredis'
import * as v from 'valibot'
import type { Sql } from '../../../src/database/pool.ts'
import type { Queue } from '../../../src/queue/queue.ts'
import { makeKeys } from '../../../src/queue/redis/keys.ts'

export interface MovableStore {
  queue: Queue
  /** The milliseconds until the first waiting batch is due, negative if it is due; undefined if none waits. */
  readNextDue(): Promise<number | undefined>
  /** Moves the due times of all waiting batches back by `ms`. */
  bringNearer(ms: number): Promise<void>
  /** The number of waiting batches. */
  countWaiting(): Promise<number>
  /** Whether a send waits for its walk, or is being walked. */
  hasWalks(): Promise<boolean>
}

const Row = v.tuple([v.object({ count: v.number(), due: v.nullable(v.number()), walks: v.number() })])

export function makeMovablePostgres(sql: Sql, queue: Queue): MovableStore {
  const look = async () => {
    const rows = await sql`
      select count(*)::int as count,
        (extract(epoch from min(claimable_at) - clock_timestamp()) * 1000)::float8 as due,
        (select count(*)::int from push_sends where claimable_at is not null) as walks
      from push_batches`
    return v.parse(Row, [...rows])[0]
  }
  return {
    queue,
    readNextDue: async () => (await look()).due ?? undefined,
    async bringNearer(ms) {
      await sql`update push_batches set claimable_at = claimable_at - ${ms}::float8 * interval '1 ms'`
    },
    countWaiting: async () => (await look()).count,
    hasWalks: async () => (await look()).walks > 0,
  }
}

const MOVE = `
  for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do redis.call('ZINCRBY', KEYS[1], -ARGV[1], id) end`

export function makeMovableRedis(redis: Redis, prefix: string, queue: Queue): MovableStore {
  const { retries, dueSends } = makeKeys(prefix)
  return {
    queue,
    async readNextDue() {
      const [, dueAtMs] = await redis.zrange(retries, '0', '0', 'WITHSCORES')
      return dueAtMs === undefined ? undefined : Number(dueAtMs) - Date.now()
    },
    async bringNearer(ms) {
      await redis.eval(MOVE, 1, retries, `${ms}`)
    },
    countWaiting: () => redis.zcard(retries),
    hasWalks: async () => (await redis.zcard(dueSends('broadcast'))) > 0,
  }
}

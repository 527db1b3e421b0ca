import { Redis } from 'ioredis'
import { openDatabase } from '../../src/database/pool.ts'

/** Shorter recipients are those of single sends. */
const MIN_BYTES = 100_000

/** Counts the raw tokens of the large sends that wait in a queue, and removes these sends. */
export async function takeStoredTargets(queue: string, dsn: string, redisPort: number): Promise<number> {
  return queue === 'redis' ? await takeFromRedis(redisPort) : await takeFromPostgres(dsn)
}

async function takeFromPostgres(dsn: string): Promise<number> {
  const sql = openDatabase({ dsn, maxConnections: 1, statementTimeoutMs: 0 })
  const [row] = await sql`
    with taken as (delete from push_sends where length(recipient) > ${MIN_BYTES} returning recipient)
    select coalesce(sum(json_array_length(convert_from(recipient, 'UTF8')::json->'values')), 0)::integer as count
    from taken`
  await sql.end()
  return Number(row?.count)
}

async function takeFromRedis(port: number): Promise<number> {
  const redis = new Redis({ port, host: '127.0.0.1' })
  let count = 0
  for (const key of await redis.keys('*{queue}:send:*')) {
    const recipient = await redis.hgetBuffer(key, 'recipient')
    if (!recipient || recipient.length < MIN_BYTES) continue
    // A JSON text without escapes: the tokens are between the brackets.
    count += recipient.subarray(recipient.indexOf('[')).toString('latin1').split(',').length
    await redis.del(key)
  }
  redis.disconnect()
  return count
}

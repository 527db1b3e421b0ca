import type { RedisClient } from '../../redis/connect.ts'
import { makeKeyBase } from './keys.ts'

/**
 * Notes the number of partitions in Redis, and returns the earlier ones: sends that were accepted with them are still
 * in their partitions. A queue that never had partitions stores nothing.
 * @param prefix the beginning of all keys of the server
 */
export async function noteCount(client: RedisClient, prefix: string, count: number): Promise<number[]> {
  const key = `${makeKeyBase(prefix, 0)}partitions`
  const known = (await client.smembers(key)).map(Number)
  if (count === 1 && known.length === 0) return []
  // A queue without partitions has the keys of the first one.
  await client.sadd(key, 1, count)
  return [...new Set([1, ...known])].filter((earlier) => earlier !== count)
}

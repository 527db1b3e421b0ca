import { Redis } from 'ioredis'
import { RedisRateLimiter } from '../../src/limits/redis/redis-rate-limiter.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import { describeRateLimiter } from './contract.ts'

/** The sizes of the fields that take-grants.lua packs into a value. */
const [HEADER_BYTES, TIME_BYTES, ID_BYTES] = [8, 6, 10]

describeRateLimiter('Redis', async () => {
  const server = await KillableRedis.start()
  const clients: Redis[] = []
  const connect = (): Redis => {
    const client = new Redis({ port: server.port, host: '127.0.0.1' })
    clients.push(client)
    return client
  }
  const redis = connect()
  const listGrants = async (): Promise<{ key: string; value: Buffer; count: number }[]> => {
    const keys = await redis.keys('*')
    const values = await Promise.all(keys.map((key) => redis.getBuffer(key)))
    return keys.flatMap((key, index) => {
      const value = values[index]
      return value ? [{ key, value, count: (value.length - HEADER_BYTES) / (TIME_BYTES + ID_BYTES) }] : []
    })
  }
  return {
    open: () => new RedisRateLimiter({ redis: connect(), prefix: 'test' }),
    // The keys expire in Redis.
    forget: async () => undefined,
    countGrants: async () => (await listGrants()).reduce((sum, { count }) => sum + count, 0),
    async empty() {
      await redis.flushall()
    },
    async moveAhead(ms: number) {
      for (const { key, value, count } of await listGrants()) {
        for (let place = 0; place < count; place++) {
          const at = HEADER_BYTES + place * TIME_BYTES
          value.writeUIntBE(value.readUIntBE(at, TIME_BYTES) + ms, at, TIME_BYTES)
        }
        await redis.set(key, value, 'KEEPTTL')
      }
    },
    async close() {
      for (const client of clients) client.disconnect()
      await server.stop()
    },
  }
})

import { KillablePostgres } from '../support/killable-postgres.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import type { Backend } from './backend.ts'

/** The queue in Redis, and the devices in a PostgreSQL that stays up. */
export async function startRedisBackend(): Promise<Backend> {
  const [postgres, redis] = await Promise.all([KillablePostgres.start(), KillableRedis.start()])
  const settingsAt = (port: number): Backend['queueSettings'] => {
    return { type: 'redis', redis: { address: `redis://127.0.0.1:${port}` } }
  }
  return {
    name: 'redis',
    dsn: postgres.dsn,
    queueSettings: settingsAt(redis.port),
    storePort: redis.port,
    through: (storePort) => ({ dsn: postgres.dsn, queueSettings: settingsAt(storePort) }),
    killStore: () => redis.kill(),
    restartStore: () => redis.restart(),
    hangStore: (ms) => redis.pause(ms),
    limitMemory: (bytes) => redis.limitMemory(bytes),
    stop: async () => {
      await redis.stop()
      await postgres.stop()
    },
  }
}

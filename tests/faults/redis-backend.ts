import { KillablePostgres } from '../support/killable-postgres.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import type { Backend } from './backend.ts'

/** The queue in Redis, and the devices in a PostgreSQL that stays up. */
export async function startRedisBackend(): Promise<Backend> {
  const [postgres, redis] = await Promise.all([KillablePostgres.start(), KillableRedis.start()])
  const settingsVia = (port: number) => ({
    dsn: postgres.dsn,
    queueSettings: { type: 'redis' as const, redis: { address: `redis://127.0.0.1:${port}` } },
  })
  return {
    name: 'redis',
    port: redis.port,
    ...settingsVia(redis.port),
    settingsVia,
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

import { chooseQueue, chooseRedis } from '../config/check.ts'
import type { Sql } from '../database/pool.ts'
import { PostgresQueue } from '../queue/postgres/postgres-queue.ts'
import type { Queue } from '../queue/queue.ts'
import { makeKeyBase } from '../queue/redis/keys.ts'
import { noteCount } from '../queue/redis/partition-counts.ts'
import { PartitionedRedisQueue } from '../queue/redis/partitioned-queue.ts'
import { RedisQueue } from '../queue/redis/redis-queue.ts'
import { checkAccess } from '../redis/check-access.ts'
import type { OnStop } from '../shutdown-phases.ts'
import { openRedis } from './open-redis.ts'
import type { Plan } from './plan.ts'

/**
 * Opens the queue.
 * @param sql the database of a queue on PostgreSQL
 * @throws ConfigError, also if Redis can't be used
 */
export async function makeQueue(plan: Plan, sql: Sql | undefined, onStop: OnStop): Promise<Queue> {
  const queue = chooseQueue(plan.config) === 'redis' ? await makeRedisQueue(plan, onStop) : makePostgresQueue(plan, sql)
  onStop.close('queue', () => queue.close())
  return queue
}

function makePostgresQueue({ config, logger }: Plan, sql: Sql | undefined): Queue {
  if (!sql) throw new Error('the configuration was checked to have a database for the queue')
  const { max_stream_length: maxJobs, max_scheduled_sends: maxScheduled } = config.push_notifications.queue.postgresql
  const keepReportsMs = config.push_notifications.report_ttl
  return new PostgresQueue({ sql, logger, leaseMs: config.worker.lease, maxJobs, maxScheduled, keepReportsMs })
}

async function makeRedisQueue(plan: Plan, onStop: OnStop): Promise<Queue> {
  const { config, logger } = plan
  const redis = chooseRedis(config)
  const client = await openRedis(plan)
  onStop.close('redis', async () => client.disconnect())
  const { prefix } = redis
  const partitions = config.push_notifications.queue.redis?.partitions ?? 1
  // A key of the first and the last partition of the queue, of the credentials and of the rate limits.
  const ofQueue = [...new Set([0, partitions - 1])].map((partition) => `${makeKeyBase(prefix, partition)}check`)
  const keys = [...ofQueue, `${prefix}{credential:check}`, `{${prefix}}:limit:check`]
  await checkAccess(client, keys, `${prefix}{queue}:check`)
  const earlier = await noteCount(client, prefix, partitions)
  const deps = {
    client,
    subscriber: await openRedis(plan),
    prefix: redis.prefix,
    logger,
    leaseMs: config.worker.lease,
    maxJobs: config.push_notifications.queue.redis?.max_stream_length ?? Number.POSITIVE_INFINITY,
    maxScheduled: config.push_notifications.queue.redis?.max_scheduled_sends,
    answerTimeoutMs: redis.io_timeout,
    keepReportsMs: config.push_notifications.report_ttl,
  }
  const isWhole = partitions === 1 && earlier.length === 0
  return isWhole ? new RedisQueue(deps) : new PartitionedRedisQueue({ ...deps, partitions, earlier })
}

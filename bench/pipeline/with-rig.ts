import type { ProviderName } from '../../src/config/provider-names.ts'
import type { Sql } from '../../src/database/pool.ts'
import { readParent } from '../harness/process-times.ts'
import { using } from '../harness/teardown.ts'
import { type AnalyticsName, startAnalytics } from './analytics.ts'
import type { Rig } from './broadcast.ts'
import type { PushService } from './push-service.ts'
import { type QueueName, startQueue } from './queue-watch.ts'
import { startServer } from './server.ts'

/** The options of a rig. */
export interface RigOptions {
  sql: Sql
  dsn: string
  provider: ProviderName
  queue: QueueName
  service: PushService
  processes: number | undefined
  analytics: AnalyticsName
  profileDir?: string | undefined
}

/** Runs `work` with a server that sends to `service`, and stops server and queue afterwards. */
export async function withRig<T>(options: RigOptions, work: (rig: Rig) => Promise<T>): Promise<T> {
  const { sql, dsn, provider, service, processes, profileDir } = options
  const [backend] = await sql`select pg_backend_pid() as pid`
  const databasePid = await readParent(Number(backend?.pid))
  return await using(startQueue(options.queue, sql), (watched) => {
    const push = { ...service.config, queue: watched.config }
    return using(startAnalytics(options.analytics), ({ config: analytics }) =>
      using(startServer({ dsn, push, processes, analytics, profileDir }), (server) =>
        work({ provider, server, watched, service, databasePid }),
      ),
    )
  })
}

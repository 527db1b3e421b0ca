// The lines of a start about the stores and the providers, one for each.
import * as v from 'valibot'
import { chooseQueue, chooseRedis } from '../config/check.ts'
import { describeProviders } from '../config/describe-providers.ts'
import type { Config } from '../config/schema.ts'
import type { Sql } from '../database/pool.ts'
import type { Databases } from './open-databases.ts'
import type { Plan } from './plan.ts'

const Server = v.object({
  version: v.string(),
  database: v.string(),
  host: v.nullable(v.string()),
  port: v.nullable(v.number()),
})

/** Logs the database, the queue and each provider. */
export async function logParts({ config, logger }: Plan, { sql, queueSql, dsn, queueDsn }: Databases): Promise<void> {
  if (sql) logger.info(await describeDatabase(sql), 'database: ready')
  else logger.info('database: none, so there are no devices')
  if (!queueSql) logger.info({ kind: 'redis', address: describeRedis(config) }, 'queue: ready')
  else if (queueDsn !== dsn) logger.info({ kind: 'postgresql', ...(await describeDatabase(queueSql)) }, 'queue: ready')
  else logger.info({ kind: 'postgresql' }, 'queue: ready in the database')
  for (const { provider, mode, detail } of describeProviders(config)) {
    logger.info(
      { provider, mode, detail },
      mode === 'sandbox' ? 'provider: sandbox, nothing is sent' : `provider: ${mode}`,
    )
  }
}

async function describeDatabase(sql: Sql): Promise<object> {
  const [row] = await sql`
    select current_setting('server_version') as version, current_database() as database,
      host(inet_server_addr()) as host, inet_server_port() as port`
  const { version, database, host, port } = v.parse(Server, row)
  return { postgresql: version, database, address: host === null ? 'a Unix socket' : `${host}:${port}` }
}

/** The addresses without users and passwords. */
function describeRedis(config: Config): string {
  if (chooseQueue(config) !== 'redis') return ''
  const { address, cluster_address: cluster, sentinel_address: sentinels } = chooseRedis(config)
  const addresses = [cluster, sentinels, address].find(({ length }) => length > 0) ?? []
  return addresses
    .map((one) =>
      one
        .replace(/^.*@/, '')
        .replace(/^rediss?:\/\//, '')
        .replace(/\?.*$/, ''),
    )
    .join(', ')
}

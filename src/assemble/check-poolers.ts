import { findLostSettings } from '../database/pooler.ts'
import { refuseSmallPool } from '../database/pooler-size.ts'
import { explainDatabaseError } from '../database/start-database.ts'
import type { Logger } from '../observability/log.ts'
import type { Databases } from './open-databases.ts'

/**
 * Warns if a pooler ignores settings of the pools.
 * @throws UserError if a pooler has too few connections for them
 */
export async function checkPoolers({ sql, dsn, queueSql, queueDsn }: Databases, logger: Logger): Promise<void> {
  const pools = new Set([sql, queueSql].filter((pool) => pool !== undefined))
  for (const pool of pools) {
    const settings = await findLostSettings(pool)
    if (settings.length === 0) continue
    logger.warn({ settings }, 'database: a pooler ignores these settings; set them with ALTER ROLE')
    const option = pool === sql ? 'database.postgresql.dsn' : 'push_notifications.queue.postgresql.dsn'
    const own = pool === sql ? dsn : queueDsn
    const sharing = dsn === queueDsn ? [...pools] : [pool]
    await refuseSmallPool(own ?? '', sharing).catch((error: unknown) => {
      throw explainDatabaseError(error, option)
    })
  }
}

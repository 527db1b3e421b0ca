import { findLostSettings } from '../database/pooler.ts'
import type { Logger } from '../observability/log.ts'
import type { Databases } from './open-databases.ts'

/** Warns if a pooler ignores settings of the pools. */
export async function warnOfPooler({ sql, queueSql }: Databases, logger: Logger): Promise<void> {
  for (const pool of new Set([sql, queueSql])) {
    const settings = pool ? await findLostSettings(pool) : []
    if (settings.length > 0) {
      logger.warn({ settings }, 'database: a pooler ignores these settings; set them with ALTER ROLE')
    }
  }
}

import type { Config } from '../config/schema.ts'
import type { Logger } from '../observability/log.ts'

/** What everything is built from. */
export interface Plan {
  config: Config
  logger: Logger
}

import type { Config } from '../config/schema.ts'
import type { Logger } from '../observability/log.ts'

/** The configuration and the logger: the input of all functions that build parts. */
export interface Plan {
  config: Config
  logger: Logger
  /** Aborts when the process is stopped during its start. */
  signal?: AbortSignal | undefined
}

import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { type Logger, makeLogger } from '../observability/log.ts'

/**
 * Loads the configuration of a command that ends by itself, and a logger for its warnings on standard error: standard
 * output is for the result. @throws ConfigError
 */
export function loadForCommand(file: string | undefined): { config: Config; logger: Logger } {
  const { config } = loadConfig(file, process.env)
  return { config, logger: makeLogger({ ...config.log, level: 'warn' }, 2) }
}

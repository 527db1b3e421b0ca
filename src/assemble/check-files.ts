// Checks of a configuration that need files, but no connections to stores: a start makes them first, and `check-config`
// makes them without starting anything.
import { accessSync, constants, existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { chooseQueue, chooseRedis, usesClickhouse } from '../config/check.ts'
import { readClientTls } from '../config/client-tls.ts'
import { ConfigError } from '../config/config-error.ts'
import { checkDataDir } from '../config/data-dir.ts'
import type { Config } from '../config/schema.ts'
import { makeLogger } from '../observability/log.ts'
import { readTls } from '../server/plan-ports.ts'
import { makeTlsOptions } from '../server/tls.ts'
import { collectProblems } from './make-providers.ts'
import { proveCredentials } from './prove-credentials.ts'
import { readCa } from './read-ca.ts'

/**
 * Reads the files that a start needs, and the credentials, except those that `push_notifications.lenient` allows.
 * @throws ConfigError with all problems
 */
export async function checkFiles(config: Config): Promise<void> {
  const checks = [
    () => checkDataDir(config.data_dir),
    () => checkLogFile(config.log.file),
    () => checkPort('http_server.tls', config.http_server.tls),
    () => checkPort('http_server.internal_tls', config.http_server.internal_tls),
    () => readCa('upstream.ca_file', config.upstream?.ca_file),
    () => checkRedis(config),
    () => usesClickhouse(config) && readClientTls('clickhouse_analytics.tls', config.clickhouse_analytics.tls),
    () => checkCredentials(config),
  ]
  await collectProblems(checks, async (check) => check())
}

async function checkCredentials(config: Config): Promise<void> {
  const { enabled, lenient } = config.push_notifications
  if (enabled && !lenient) await proveCredentials(config, makeLogger({ level: 'none', file: '' }), false)
}

function checkLogFile(file: string): void {
  if (file === '') return
  try {
    accessSync(dirname(resolve(file)), constants.W_OK)
  } catch (error) {
    const why = existsSync(dirname(resolve(file))) ? 'must not be written by this user' : 'does not exist'
    throw new ConfigError(`log.file: ${dirname(resolve(file))} ${why}`, { cause: error })
  }
}

function checkPort(section: string, tls: Config['http_server']['tls']): void {
  const settings = readTls(section, tls)
  if (settings) makeTlsOptions(settings)
}

function checkRedis(config: Config): void {
  if (!config.push_notifications.enabled || chooseQueue(config) !== 'redis') return
  const { tls, sentinel_tls: sentinelTls } = chooseRedis(config)
  if (tls.enabled) readClientTls('push_notifications.queue.redis.tls', tls)
  if (sentinelTls.enabled) readClientTls('push_notifications.queue.redis.sentinel_tls', sentinelTls)
}

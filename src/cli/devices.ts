import { parseDuration } from '../config/duration.ts'
import { loadConfig } from '../config/load.ts'
import { isProviderName, PROVIDER_NAMES } from '../config/provider-names.ts'
import type { RestoreQuery } from '../devices/removal/restore-devices.ts'
import { makeLogger } from '../observability/log.ts'
import { withDevices } from './bulk/device-database.ts'
import { CommandLineError } from './command-line-error.ts'
import { parseArguments } from './parse-arguments.ts'

const HELP = `centripush devices restore --provider NAME --since TIME [OPTIONS]

Brings back devices that were removed automatically in the last seven days, because their provider called the token
dead or because they were inactive for longer than push_notifications.max_inactive_device_interval: as they were, with
their topics, ids and times. A device whose token or id is there again is skipped.

  --provider NAME     ${PROVIDER_NAMES.join(', ')}
  --since TIME        removed since then: 2026-01-31T12:00:00Z, or how long ago: 2h
  --reason TEXT       only those removed for this reason, "inactive" for example
  --dry-run           count only
  --config FILE       names the database; without one it is the embedded database

Exits with 0, or with 2 when the command line or the configuration is wrong.
`

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  provider: { type: 'string' },
  since: { type: 'string' },
  reason: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h' },
} as const

/** `centripush devices restore`: resolves to the exit code. @throws ConfigError */
export async function runDevices(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments({ args: argv, options: OPTIONS, allowPositionals: true })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  if (positionals.length !== 1 || positionals[0] !== 'restore')
    throw new CommandLineError('devices what? There is: restore')
  const query = parseQuery(values)
  const isDryRun = values['dry-run']
  const { config } = loadConfig(values.config, process.env)
  const logger = makeLogger({ ...config.log, level: 'warn' }, 2)
  return await withDevices({ config, logger }, async (devices) => {
    const { restored, skipped } = await devices.restore(query, isDryRun)
    const verb = isDryRun ? 'would be restored' : 'restored'
    process.stdout.write(`${restored} ${query.provider} devices ${verb}, ${skipped} skipped: there again\n`)
    return 0
  })
}

function parseQuery({ provider, since, reason }: { provider?: string; since?: string; reason?: string }): RestoreQuery {
  if (provider === undefined || !isProviderName(provider)) {
    throw new CommandLineError(`--provider: must be one of ${PROVIDER_NAMES.join(', ')}`)
  }
  return { provider, since: parseSince(since ?? ''), reason }
}

function parseSince(text: string): Date {
  const agoMs = parseDuration(text)
  const since = agoMs === undefined ? new Date(text) : new Date(Date.now() - agoMs)
  if (!Number.isNaN(since.getTime()) && (agoMs !== undefined || /^\d{4}-/.test(text))) return since
  throw new CommandLineError('--since: expected a time such as 2026-01-31T12:00:00Z, or how long ago, such as 2h')
}

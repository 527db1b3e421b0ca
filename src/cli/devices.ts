import { parseDuration } from '../config/duration.ts'
import { isProviderName, PROVIDER_NAMES } from '../config/provider-names.ts'
import type { RestoreQuery } from '../devices/removal/restore-devices.ts'
import { withDevices } from './bulk/device-database.ts'
import { Progress } from './bulk/progress.ts'
import { CommandLineError } from './command-line-error.ts'
import { loadForCommand } from './load-for-command.ts'
import { parseArguments } from './parse-arguments.ts'

const HELP = `centripush devices restore --provider NAME --since TIME [OPTIONS]

Restores devices that were removed automatically in the last seven days, because their provider called the token dead
or because they were inactive for longer than push_notifications.max_inactive_device_interval. Topics, ids and times
are restored too. A device whose token or id has been registered again is skipped.

  --provider NAME     ${PROVIDER_NAMES.join(', ')}
  --since TIME        only devices removed since then: 2026-01-31T12:00:00Z, or a duration before now: 2h
  --reason TEXT       only devices removed for this reason, "inactive" for example
  --dry-run           only counts
  --config FILE       names the database; without it, the embedded database is used

For example: centripush devices restore --provider fcm --since 2h --dry-run

Exits with 0, with 2 when the command line or the configuration is wrong, and with 1 after any other failure.
`

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  provider: { type: 'string' },
  since: { type: 'string' },
  reason: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h' },
} as const

/**
 * The command `centripush devices restore`. Resolves to the exit code.
 * @throws CommandLineError, ConfigError, UserError
 */
export async function runDevices(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments({ args: argv, options: OPTIONS, allowPositionals: true })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  if (positionals.length !== 1 || positionals[0] !== 'restore')
    throw new CommandLineError('expected an action: restore')
  const query = parseQuery(values)
  const isDryRun = values['dry-run']
  const { config, logger } = loadForCommand(values.config)
  return await withDevices({ config, logger }, async (devices) => {
    const progress = new Progress({ output: process.stderr, noun: 'devices', now: Date.now })
    const { restored, skipped } = isDryRun
      ? await devices.countRestorable(query)
      : await devices.restore(query, (result) => progress.show({ count: result.restored + result.skipped }))
    progress.end()
    const verb = isDryRun ? 'would be restored' : 'restored'
    process.stdout.write(
      `${restored} ${query.provider} devices ${verb}, ${skipped} skipped because they are registered again\n`,
    )
    return 0
  })
}

function parseQuery({ provider, since, reason }: { provider?: string; since?: string; reason?: string }): RestoreQuery {
  if (provider === undefined || !isProviderName(provider)) {
    throw new CommandLineError(`--provider: expected one of ${PROVIDER_NAMES.join(', ')}`)
  }
  return { provider, since: parseSince(since ?? ''), reason }
}

function parseSince(text: string): Date {
  const agoMs = parseDuration(text)
  const since = agoMs === undefined ? new Date(text) : new Date(Date.now() - agoMs)
  if (!Number.isNaN(since.getTime()) && (agoMs !== undefined || /^\d{4}-/.test(text))) return since
  throw new CommandLineError(
    '--since: expected a time such as 2026-01-31T12:00:00Z, or a duration before now such as 2h',
  )
}

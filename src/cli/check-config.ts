import { listOptions } from '../config/options.ts'
import { ConfigSchema } from '../config/schema.ts'
import { readServerOptions } from './options.ts'

const HELP = `centripush check-config [--config FILE]

Checks the configuration of FILE and of the CENTRIPUSH_ environment variables and prints the options in force, with
defaults and without secrets. docs/configuration.md explains every option.

Exits with 0, or with 2 and a list of all problems when the command line or the configuration is wrong.
`

/** The command `centripush check-config`. @throws ConfigError with all problems, CommandLineError */
export async function runCheckConfig(argv: string[]): Promise<void> {
  const options = readServerOptions(argv, HELP)
  if (!options) return
  const secrets = new Set(listOptions(ConfigSchema).flatMap(({ path, isSecret }) => (isSecret ? [path.join('.')] : [])))
  process.stdout.write(`${JSON.stringify(hideSecrets(options.config, secrets), undefined, 2)}\n`)
  if (options.ignored.length > 0) {
    process.stderr.write(`ignored, because centripush has no such options: ${options.ignored.join(', ')}\n`)
  }
}

/**
 * A copy of a configuration with a placeholder in place of each secret that is set.
 * @param secrets paths of secret options
 */
function hideSecrets(value: unknown, secrets: ReadonlySet<string>, path: readonly string[] = []): unknown {
  if (secrets.has(path.join('.'))) return isEmpty(value) ? value : '(hidden)'
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, hideSecrets(inner, secrets, [...path, key])]),
  )
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
}

import { checkFiles } from '../assemble/check-files.ts'
import { describeProviders } from '../config/describe-providers.ts'
import { listOptions } from '../config/options.ts'
import { ConfigSchema } from '../config/schema.ts'
import { describeSettings } from './describe-settings.ts'
import { readServerOptions } from './options.ts'

const HELP = `centripush check-config [--config FILE]

Checks the configuration of FILE and of the CENTRIPUSH_ environment variables, and the files that it names. Prints the
options in force, with defaults and without secrets, and on standard error how each provider is used: real, or as the
sandbox, which records pushes in place of sending them. docs/configuration.md explains every option.

  --config FILE   JSON, YAML or TOML; environment variables (CENTRIPUSH_HTTP_SERVER_PORT) override it

For example: centripush check-config --config centripush.yaml

Exits with 0, or with 2 and a list of all problems when the command line or the configuration is wrong.
`

/** The command `centripush check-config`. @throws ConfigError with all problems, CommandLineError */
export async function runCheckConfig(argv: string[]): Promise<void> {
  const options = readServerOptions(argv, HELP)
  if (!options) return
  checkFiles(options.config)
  const secrets = new Set(listOptions(ConfigSchema).flatMap(({ path, isSecret }) => (isSecret ? [path.join('.')] : [])))
  process.stdout.write(`${JSON.stringify(hideSecrets(options.config, secrets), undefined, 2)}\n`)
  const modes = describeProviders(options.config).map(
    ({ provider, mode, detail }) => `${provider}: ${mode} (${detail})`,
  )
  for (const line of [...modes, ...describeSettings(options)]) process.stderr.write(`${line}\n`)
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

import { checkFiles } from '../assemble/check-files.ts'
import { type Proof, proveCredentials } from '../assemble/prove-credentials.ts'
import { describeProviders } from '../config/describe-providers.ts'
import { hideSecrets } from '../config/hide-secrets.ts'
import { makeLogger } from '../observability/log.ts'
import { describeSettings } from './describe-settings.ts'
import { readServerOptions } from './options.ts'

const HELP = `centripush check-config [--config FILE] [--online]

Checks the configuration of FILE and of the CENTRIPUSH_ environment variables, and the files and credentials that it
names. Prints the options in force, with defaults and without secrets, and on standard error how each provider is used:
real, or as the sandbox, which records pushes in place of sending them. docs/configuration.md explains every option.

  --config FILE   JSON, YAML or TOML; environment variables (CENTRIPUSH_HTTP_SERVER_PORT) override it
  --online        asks each provider whether it accepts the credential: sends a push to a token that no device has

For example: centripush check-config --config centripush.yaml --online

Exits with 0; with 2 and a list of all problems when the command line, the configuration or a credential is wrong; and
with 1 when a provider could not be asked.
`

/** The command `centripush check-config`. Resolves to the exit code. @throws ConfigError with all problems */
export async function runCheckConfig(argv: string[]): Promise<number> {
  const options = readServerOptions(argv, HELP, { flags: ['online'] })
  if (!options) return 0
  const { config, flags } = options
  await checkFiles(config)
  const hasPush = config.push_notifications.enabled
  const proofs = hasPush ? await proveCredentials(config, makeLogger(SILENT), flags.has('online')) : []
  process.stdout.write(`${JSON.stringify(hideSecrets(config), undefined, 2)}\n`)
  const modes = describeProviders(config).map(({ provider, mode, detail }) => `${provider}: ${mode} (${detail})`)
  for (const line of [...modes, ...describeSettings(options)]) process.stderr.write(`${line}\n`)
  return report(proofs)
}

const SILENT = { level: 'none', file: '' } as const
const WORDS = { accepted: 'accepted', refused: 'refused', notAsked: 'not asked' } as const

/** Prints the answers of the providers. @returns the exit code */
function report(proofs: readonly Proof[]): number {
  for (const { provider, state, why } of proofs) {
    process.stderr.write(`${provider}: credential ${WORDS[state]}${why === '' ? '' : ` (${why})`}\n`)
  }
  if (proofs.some(({ state }) => state === 'refused')) return 2
  return proofs.some(({ state, provider }) => state === 'notAsked' && provider !== 'webpush') ? 1 : 0
}

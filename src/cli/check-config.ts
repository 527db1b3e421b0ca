import { readServerOptions } from './options.ts'

const HELP = `centripush check-config [--config FILE]

Checks the configuration of FILE and of the CENTRIPUSH_ environment variables and prints what is in force, defaults
included and secrets hidden. Exits with 2 when something is wrong, and says what.
`

/** Options whose value must not be printed. A DSN holds a password. */
const SECRETS = new Set([
  'key',
  'api_key',
  'key_pem',
  'dsn',
  'replica_dsn',
  'app_secret',
  'token_key_pem',
  'cert_p12_b64',
  'cert_p12_password',
  'vapid_private_key',
])

/** `centripush check-config`. @throws ConfigError */
export async function runCheckConfig(argv: string[]): Promise<void> {
  const options = readServerOptions(argv, HELP)
  if (!options) return
  const hide = (name: string, value: unknown) => (SECRETS.has(name) && value ? '(hidden)' : value)
  process.stdout.write(`${JSON.stringify(options.config, hide, 2)}\n`)
  if (options.ignored.length > 0) process.stderr.write(`ignored, not ours: ${options.ignored.join(', ')}\n`)
}

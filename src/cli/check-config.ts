import { hideSecrets } from '../config/hide-secrets.ts'
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
  process.stdout.write(`${JSON.stringify(hideSecrets(options.config), undefined, 2)}\n`)
  if (options.ignored.length > 0) {
    process.stderr.write(`ignored, because centripush has no such options: ${options.ignored.join(', ')}\n`)
  }
}

import { type LoadedConfig, loadConfig } from '../config/load.ts'
import { ROLES, type Role } from '../config/role.ts'
import { CommandLineError } from './command-line-error.ts'
import { parseArguments } from './parse-arguments.ts'

/** The values of `--config` and `--role`, for commands that read a configuration. */
export interface ServerOptions extends LoadedConfig {
  role: Role
  /** The names of the flags that are given, without dashes. */
  flags: ReadonlySet<string>
}

/**
 * Reads the options `--config FILE` and `--role`, then the configuration. With `--help` it prints `help` and returns
 * undefined.
 * @param flags the names of further options of the command, which have no value
 * @throws CommandLineError, ConfigError
 */
export function readServerOptions(
  argv: string[],
  help: string,
  flags: readonly string[] = [],
): ServerOptions | undefined {
  const { values } = parseArguments({
    args: argv,
    options: {
      config: { type: 'string', short: 'c' },
      role: { type: 'string', default: 'all' },
      help: { type: 'boolean', short: 'h' },
      ...Object.fromEntries(flags.map((flag) => [flag, { type: 'boolean' as const }])),
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return undefined
  }
  const role = ROLES.find((known) => known === values.role)
  if (!role) throw new CommandLineError(`--role: expected one of ${ROLES.join(', ')}`)
  const given = new Set(flags.filter((flag) => Object.entries(values).some(([name, value]) => name === flag && value)))
  return { role, flags: given, ...loadConfig(values.config, process.env) }
}

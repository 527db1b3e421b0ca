import { type LoadedConfig, loadConfig } from '../config/load.ts'
import { ROLES, type Role } from '../config/role.ts'
import { CommandLineError } from './command-line-error.ts'
import { parseArguments } from './parse-arguments.ts'

/** The values of `--config` and of further options, for commands that read a configuration. */
export interface ServerOptions extends LoadedConfig {
  role: Role
  /** The names of the flags that are given, without dashes. */
  flags: ReadonlySet<string>
}

/** The options of a command besides `--config` and `--help`. */
export interface FurtherOptions {
  /** The names of options without a value. */
  flags?: readonly string[]
  /** Whether the command has `--role`. */
  hasRole?: boolean
}

/**
 * Reads the options `--config FILE` and those of `further`, then the configuration. With `--help` it prints `help` and
 * returns undefined. Without `--role` the role is `all`.
 * @throws CommandLineError, ConfigError
 */
export function readServerOptions(
  argv: string[],
  help: string,
  { flags = [], hasRole = false }: FurtherOptions = {},
): ServerOptions | undefined {
  const { values } = parseArguments({
    args: argv,
    options: {
      config: { type: 'string', short: 'c' },
      help: { type: 'boolean', short: 'h' },
      ...(hasRole ? { role: { type: 'string' as const } } : {}),
      ...Object.fromEntries(flags.map((flag) => [flag, { type: 'boolean' as const }])),
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return undefined
  }
  const { role: named = 'all' } = values
  const role = ROLES.find((known) => known === named)
  if (!role) throw new CommandLineError(`--role: expected one of ${ROLES.join(', ')}`)
  const given = new Set(flags.filter((flag) => Object.entries(values).some(([name, value]) => name === flag && value)))
  return { role, flags: given, ...loadConfig(values.config, process.env) }
}

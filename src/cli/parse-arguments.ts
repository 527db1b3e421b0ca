import { type ParseArgsConfig, parseArgs } from 'node:util'
import { CommandLineError } from './command-line-error.ts'

/**
 * Parses the command line with Node's parseArgs.
 * @throws CommandLineError for an unknown option, a missing value and the like
 */
export function parseArguments<Config extends ParseArgsConfig>(config: Config): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config)
  } catch (error) {
    const isMistake = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
    throw isMistake ? new CommandLineError(error.message, { cause: error }) : error
  }
}

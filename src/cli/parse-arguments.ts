import { type ParseArgsConfig, parseArgs } from 'node:util'
import { findClosestName } from '../config/names/closest-name.ts'
import { CommandLineError } from './command-line-error.ts'

/**
 * Parses the command line with Node's parseArgs.
 * @throws CommandLineError for an unknown option, an option that is given twice, a missing value and the like
 */
export function parseArguments<Config extends ParseArgsConfig>(config: Config): ReturnType<typeof parseArgs<Config>> {
  refuseMistakes(config)
  try {
    return parseArgs(config)
  } catch (error) {
    const isMistake = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
    if (!isMistake) throw error
    // The sentences after the first one explain parseArgs.
    const [problem = ''] = error.message.split(/\. |\n/)
    throw new CommandLineError(problem.replace(/\.$/, ''), { cause: error })
  }
}

/** Mistakes that parseArgs explains badly, or accepts. */
function refuseMistakes(config: ParseArgsConfig): void {
  const options = config.options ?? {}
  const { tokens } = parseArgs({ ...config, strict: false, tokens: true })
  const given = new Set<string>()
  for (const token of tokens ?? []) {
    if (token.kind !== 'option') continue
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined
    if (!option) throw new CommandLineError(explainUnknown(token.rawName, Object.keys(options)))
    if (given.has(token.name) && !option.multiple) throw new CommandLineError(`${token.rawName} is given twice`)
    given.add(token.name)
  }
}

function explainUnknown(rawName: string, names: readonly string[]): string {
  const closest = findClosestName(rawName.replace(/^-+/, ''), names)
  if (closest !== undefined) return `unknown option ${rawName}, did you mean --${closest}?`
  return `unknown option ${rawName}, expected one of ${names.map((name) => `--${name}`).join(', ')}`
}

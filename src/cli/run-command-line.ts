import { findClosestName } from '../config/names/closest-name.ts'
import { UserError } from '../config/user-error.ts'
import { SUMMARIES } from './command-summaries.ts'
import { loadCommand } from './commands.ts'
import { readVersion } from './version.ts'

const HELP = `centripush: push notifications in front of a Centrifugo node

  centripush COMMAND [OPTIONS]

${Object.entries(SUMMARIES)
  .map(([name, summary]) => `  ${name.padEnd(14)} ${summary}`)
  .join('\n')}

centripush COMMAND --help explains a command. centripush --version prints the version.
`

/**
 * Runs a command line: its first word is the command. A mistake of the user is printed without a stack.
 * @returns the exit code
 */
export async function runCommandLine([name = 'help', ...argv]: string[]): Promise<number> {
  endQuietly(process.stdout)
  endQuietly(process.stderr)
  if (['help', '--help', '-h'].includes(name)) return await printHelp(argv)
  if (['--version', '-v', 'version'].includes(name)) {
    process.stdout.write(`${readVersion()}\n`)
    return 0
  }
  const command = loadCommand(name)
  if (!command) {
    process.stderr.write(`centripush: ${explainUnknown(name)}\n`)
    return 2
  }
  try {
    const run = await command
    const code = await run(argv)
    return typeof code === 'number' ? code : 0
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    for (const line of error.message.split('\n')) process.stderr.write(`centripush ${name}: ${line}\n`)
    return error.exitCode
  }
}

/** `centripush help COMMAND` is `centripush COMMAND --help`. */
async function printHelp([name]: string[]): Promise<number> {
  if (name !== undefined && name !== 'help') return await runCommandLine([name, '--help'])
  process.stdout.write(HELP)
  return 0
}

function explainUnknown(name: string): string {
  if (name.startsWith('-')) return `expected a command before ${name}, such as centripush serve ${name}`
  const names = Object.keys(SUMMARIES)
  const closest = findClosestName(name, names)
  return `unknown command ${name}, ${closest ? `did you mean ${closest}?` : `expected one of ${names.join(', ')}`}`
}

/**
 * Ignores errors of an output that its reader has closed, as `head` does when it has enough. The command ends as if the
 * rest were read.
 */
function endQuietly(output: NodeJS.WriteStream): void {
  if (output.listenerCount('error') > 0) return
  output.on('error', (error) => {
    if (!('code' in error) || error.code !== 'EPIPE') throw error
  })
}

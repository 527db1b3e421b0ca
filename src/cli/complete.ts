import { readdirSync } from 'node:fs'
import { RootCommand } from '@bomb.sh/tab'
import { CommandLineError } from './command-line-error.ts'
import { SUMMARIES } from './command-summaries.ts'
import { COMPLETIONS, type Completion, FILES } from './completions.ts'

const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const

const HELP = `centripush complete SHELL

Prints the script with which a shell completes commands, options and their values: ${SHELLS.join(', ')}.

For bash with the package bash-completion, in ~/.bashrc:

  source <(centripush complete bash)

For zsh, in ~/.zshrc after compinit:

  source <(centripush complete zsh)

Exits with 0, or with 2 when the command line is wrong.
`

/** The command `centripush complete`. @throws CommandLineError */
export async function runComplete(argv: string[]): Promise<void> {
  const [shell = '', ...words] = argv
  if (shell !== '--' && words.length > 0) throw new CommandLineError('expected one shell')
  if (shell === '--help' || shell === '-h') process.stdout.write(HELP)
  // The scripts call `centripush complete -- WORDS` at each press of the Tab key.
  else if (shell === '--') makeRoot(words.at(-1) ?? '').parse(words)
  else if (SHELLS.some((known) => known === shell)) new RootCommand().setup('centripush', 'centripush', shell)
  else throw new CommandLineError(`expected a shell: ${SHELLS.join(', ')}`)
}

/** @param word the word that is completed, which may be the beginning of a path */
function makeRoot(word: string): RootCommand {
  const root = new RootCommand()
  for (const [name, summary] of Object.entries(SUMMARIES)) {
    const command = root.command(name, summary)
    const { options = {}, words = [] } = COMPLETIONS[name] ?? {}
    for (const [option, values] of Object.entries(options)) {
      if (values === undefined) command.option(option, '')
      else command.option(option, '', (add) => addWords(values, word, add))
    }
    for (const [position, values] of words.entries()) {
      command.argument(String(position), (add) => addWords(values, word, add))
    }
  }
  return root
}

function addWords(values: Completion, word: string, add: (word: string, description: string) => void): void {
  for (const value of values === FILES ? listFiles(word) : values) add(value, '')
}

/** The files and directories that may continue a path. */
function listFiles(word: string): string[] {
  // The word may be `--config=PATH`.
  const path = word.slice(word.indexOf('=') + 1)
  const directory = path.slice(0, path.lastIndexOf('/') + 1)
  try {
    const entries = readdirSync(directory === '' ? '.' : directory, { withFileTypes: true })
    return entries.map((entry) => `${directory}${entry.name}${entry.isDirectory() ? '/' : ''}`)
  } catch {
    // There is no such directory, so there is nothing to complete.
    return []
  }
}

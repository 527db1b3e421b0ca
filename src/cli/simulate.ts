import { once } from 'node:events'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { FAULT_WORDS } from '../simulators/fcm/faults.ts'
import { FcmSimulator } from '../simulators/fcm/fcm-simulator.ts'

const DEFAULT_DIRECTORY = './data/simulators/fcm'

/**
 * `centripush simulate fcm`: runs the simulator until SIGINT or SIGTERM. Resolves to the exit code.
 * @param argv what follows `simulate` on the command line
 */
export async function runSimulate(argv: readonly string[]): Promise<number> {
  const args = parseCommandLine(argv)
  if (typeof args === 'string') {
    process.stderr.write(`${args}\n\n${usage()}`)
    return 2
  }
  if (args.help) {
    process.stdout.write(usage())
    return 0
  }
  const simulator = await FcmSimulator.start({ directory: args.directory, port: args.port })
  process.stdout.write(describe(simulator))
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  await simulator.stop()
  return 0
}

interface Arguments {
  help: boolean
  port: number
  directory: string
}

/** The arguments, or what is wrong with them. */
function parseCommandLine(argv: readonly string[]): Arguments | string {
  const options = {
    port: { type: 'string', default: '0' },
    dir: { type: 'string', default: DEFAULT_DIRECTORY },
    help: { type: 'boolean', short: 'h', default: false },
  } as const
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true })
    const { help, dir } = values
    const port = Number(values.port)
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      return `--port: expected 0 to 65535 but found ${values.port}`
    if (!help && (positionals.length !== 1 || positionals[0] !== 'fcm')) return 'which simulator? There is: fcm'
    return { help, port, directory: resolve(dir) }
  } catch (error) {
    // parseArgs throws for options that it doesn't know.
    return error instanceof Error ? error.message : String(error)
  }
}

function usage(): string {
  const faults = Object.entries(FAULT_WORDS).map(([word, what]) => `  ${`${word}-`.padEnd(15)}${what}`)
  return `Usage: centripush simulate fcm [--port N] [--dir DIR]

Runs a stand-in for Firebase Cloud Messaging that checks what Google checks and logs what it accepted.

  --port N       where to listen on 127.0.0.1; a free port if not given
  --dir DIR      where credentials, authority and log go (${DEFAULT_DIRECTORY})

Tokens that start with one of these words get that answer; with "once-" after the word, only the first time:
${faults.join('\n')}
`
}

function describe({ origin, files }: FcmSimulator): string {
  return `The FCM simulator listens on ${origin}
What it accepted: ${files.log}

Put this into the configuration of centripush (YAML):

push_notifications:
  enabled_providers: [fcm]
  fcm:
    credentials_file: ${JSON.stringify(files.credentials)}
    push_endpoint: ${origin}
    auth_endpoint: ${origin}
    ca_file: ${JSON.stringify(files.ca)}
`
}

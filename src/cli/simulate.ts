import { once } from 'node:events'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ConfigError } from '../config/config-error.ts'
import { makeFcmFaults } from '../simulators/fcm/fcm-faults.ts'
import { FcmSimulator } from '../simulators/fcm/fcm-simulator.ts'

const DEFAULT_DIRECTORY = './data/simulators/fcm'

/** `centripush simulate fcm`: runs the simulator until SIGINT or SIGTERM. @throws ConfigError for a wrong command line */
export async function runSimulate(argv: string[]): Promise<void> {
  const args = parseCommandLine(argv)
  if (args.help) {
    process.stdout.write(usage())
    return
  }
  const simulator = await FcmSimulator.start({ directory: args.directory, port: args.port })
  process.stdout.write(describe(simulator))
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  await simulator.stop()
}

interface Arguments {
  help: boolean
  port: number
  directory: string
}

function parseCommandLine(argv: string[]): Arguments {
  const options = {
    port: { type: 'string', default: '0' },
    dir: { type: 'string', default: DEFAULT_DIRECTORY },
    help: { type: 'boolean', short: 'h', default: false },
  } as const
  const { values, positionals } = parseArgs({ args: argv, options, allowPositionals: true })
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new ConfigError(`--port: expected 0 to 65535 but found ${values.port}`)
  }
  if (!values.help && (positionals.length !== 1 || positionals[0] !== 'fcm')) {
    throw new ConfigError('which simulator? There is: fcm')
  }
  return { help: values.help, port, directory: resolve(values.dir) }
}

function usage(): string {
  const table = makeFcmFaults({ project: '', retryAfterSeconds: 0 })
  const faults = Object.entries(table).map(([word, { does }]) => `  ${`${word}-`.padEnd(15)}${does}`)
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

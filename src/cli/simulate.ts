import { once } from 'node:events'
import { resolve } from 'node:path'
import { UserError } from '../config/user-error.ts'
import { CommandLineError } from './command-line-error.ts'
import { parseArguments } from './parse-arguments.ts'
import { APNS_SIMULATOR } from './simulators/apns.ts'
import { FCM_SIMULATOR } from './simulators/fcm.ts'
import { HMS_SIMULATOR } from './simulators/hms.ts'
import type { RunningSimulator, SimulatorCommand } from './simulators/simulator-command.ts'
import { WEBPUSH_SIMULATOR } from './simulators/webpush.ts'

const SIMULATORS: Readonly<Record<string, SimulatorCommand>> = {
  fcm: FCM_SIMULATOR,
  apns: APNS_SIMULATOR,
  hms: HMS_SIMULATOR,
  webpush: WEBPUSH_SIMULATOR,
}

const DEFAULT_DIRECTORY = './data/simulators'

/** The command `centripush simulate NAME`: runs a simulator until SIGINT or SIGTERM. @throws CommandLineError */
export async function runSimulate(argv: string[]): Promise<void> {
  const args = parseCommandLine(argv)
  if (args.help) {
    process.stdout.write(usage(args.name))
    return
  }
  const { name, directory, port, share } = args
  const simulator = await simulatorOf(name).start({ directory, port, misbehaviour: { share } }).catch(explainStart)
  process.stdout.write(describe(name, simulator))
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  await simulator.stop()
}

/** A port in use, or a directory that can't be written. @throws UserError for these, any other error unchanged */
function explainStart(error: unknown): never {
  if (!(error instanceof Error && 'syscall' in error)) throw error
  throw new UserError(`can't start: ${error.message}`, { cause: error })
}

interface Arguments {
  help: boolean
  /** The name of the simulator; empty if the command line has none. */
  name: string
  port: number
  directory: string
  share: number
}

function parseCommandLine(argv: string[]): Arguments {
  const options = {
    port: { type: 'string', default: '0' },
    dir: { type: 'string' },
    misbehave: { type: 'string', default: '0' },
    help: { type: 'boolean', short: 'h', default: false },
  } as const
  const { values, positionals } = parseArguments({ args: argv, options, allowPositionals: true })
  const [name = '', ...others] = positionals
  if (others.length > 0) throw new CommandLineError('expected one simulator')
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new CommandLineError(`--port: expected 0 to 65535 but found ${values.port}`)
  }
  const share = Number(values.misbehave) / 100
  if (!(share >= 0 && share <= 1))
    throw new CommandLineError(`--misbehave: expected 0 to 100 but found ${values.misbehave}`)
  if (!values.help) simulatorOf(name)
  return { help: values.help, name, port, directory: resolve(values.dir ?? `${DEFAULT_DIRECTORY}/${name}`), share }
}

/** Finds the simulator with this name. @throws CommandLineError for an unknown name */
function simulatorOf(name: string): SimulatorCommand {
  const simulator = Object.hasOwn(SIMULATORS, name) ? SIMULATORS[name] : undefined
  if (!simulator) throw new CommandLineError(`expected a simulator: ${Object.keys(SIMULATORS).join(', ')}`)
  return simulator
}

function usage(name: string): string {
  const names = Object.entries(SIMULATORS).map(([key, { standsFor }]) => `  ${key.padEnd(14)} ${standsFor}`)
  return `centripush simulate NAME [--port N] [--dir DIR] [--misbehave PERCENT]

Runs a simulator of a push provider. It makes the checks of the real provider and logs the pushes that it accepts.

${names.join('\n')}

  --port N             the port on 127.0.0.1; by default a free one
  --dir DIR            the directory of credentials, authority and log (${DEFAULT_DIRECTORY}/NAME)
  --misbehave PERCENT  the share of requests that get a random fault

For example: centripush simulate fcm --port 9099

Exits with 0 after SIGTERM or Ctrl-C, with 2 when the command line is wrong, and with 1 after any other failure.

${Object.hasOwn(SIMULATORS, name) ? describeFaults(name) : 'centripush simulate NAME --help lists its faults.\n'}`
}

function describeFaults(name: string): string {
  const faults = Object.entries(simulatorOf(name).faults)
  const lines = faults.map(([word, { does }]) => `  ${`${word}-`.padEnd(28)} ${does}`)
  return `A token that starts with one of these words gets that fault; with "once-" after the word, only the first time:
${lines.join('\n')}
`
}

function describe(name: string, { origin, log, configuration, notes = [] }: RunningSimulator): string {
  return `The ${name} simulator listens on ${origin}
Accepted pushes: ${log}

Put this into the configuration of centripush (YAML):

push_notifications:
  enabled_providers: [${name}]
  ${name}:
${configuration.map((line) => `    ${line}`).join('\n')}
${notes.length > 0 ? `\n${notes.join('\n')}\n` : ''}`
}

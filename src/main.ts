import { ConfigError } from './config/config-error.ts'
import { DataDirInUseError } from './database/data-dir-lock.ts'
import { surviveLostConnections } from './database/lost-connections.ts'
import { SchemaError } from './database/migrate.ts'
import { EmbeddedPostgresError } from './database/postgres-programs.ts'
import { ApiError } from './protocol/errors.ts'
import { DecodeError } from './protocol/wire-types.ts'
import { ServiceAccountError } from './providers/fcm/service-account.ts'

interface Command {
  /** Undefined: not for people. */
  summary: string | undefined
  /** Its file, loaded when it is called for: no command waits for the others', or keeps them in memory. */
  load(): Promise<Run>
}

/** Resolves when the command is done, to its exit code; that is 0 when it resolves to nothing. */
type Run = (argv: string[]) => Promise<unknown>

const COMMANDS: Record<string, Command> = {
  serve: { summary: 'run the server: API and workers', load: async () => (await import('./cli/serve.ts')).runServe },
  migrate: {
    summary: 'bring the database schema up to date',
    load: async () => (await import('./cli/migrate.ts')).runMigrate,
  },
  'check-config': {
    summary: 'check a configuration and print what is in force',
    load: async () => (await import('./cli/check-config.ts')).runCheckConfig,
  },
  import: {
    summary: 'bring devices and user topics from elsewhere',
    load: async () => (await import('./cli/import.ts')).runImportCommand,
  },
  export: {
    summary: 'write devices and user topics as NDJSON',
    load: async () => (await import('./cli/export.ts')).runExport,
  },
  send: {
    summary: 'accept a push, or show what a device would get of it',
    load: async () => (await import('./cli/send.ts')).runSend,
  },
  devices: {
    summary: 'restore devices that were removed automatically',
    load: async () => (await import('./cli/devices.ts')).runDevices,
  },
  queue: {
    summary: 'look at the queue, pause providers, retry what was given up',
    load: async () => (await import('./cli/queue.ts')).runQueue,
  },
  'gen-vapid-keys': {
    summary: 'make a key pair for Web Push',
    load: async () => (await import('./cli/gen-vapid-keys.ts')).runGenVapidKeys,
  },
  simulate: {
    summary: 'run a stand-in for a push provider',
    load: async () => (await import('./cli/simulate.ts')).runSimulate,
  },
  'worker-process': {
    summary: undefined,
    load: async () => (await import('./cli/worker-process.ts')).runWorkerProcess,
  },
}

const HELP = `centripush: push notifications in front of a Centrifugo node

  centripush COMMAND [OPTIONS]

${Object.entries(COMMANDS)
  .flatMap(([name, { summary }]) => (summary === undefined ? [] : [`  ${name.padEnd(14)} ${summary}`]))
  .join('\n')}

Each command explains itself: centripush COMMAND --help
`

async function main([name = 'help', ...argv]: string[]): Promise<number> {
  if (['help', '--help', '-h'].includes(name)) {
    process.stdout.write(HELP)
    return 0
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!command) {
    process.stderr.write(`centripush: there is no command '${name}'\n\n${HELP}`)
    return 2
  }
  try {
    const run = await command.load()
    const code = await run(argv)
    return typeof code === 'number' ? code : 0
  } catch (error) {
    if (isUsersError(error)) {
      process.stderr.write(`centripush ${name}: ${error.message}\n`)
      return 2
    }
    throw error
  }
}

/** Errors whose message says what to do; a stack would hide it. */
const USERS_ERRORS = [
  ApiError,
  ConfigError,
  DecodeError,
  DataDirInUseError,
  EmbeddedPostgresError,
  SchemaError,
  ServiceAccountError,
]

function isUsersError(error: unknown): error is Error {
  if (USERS_ERRORS.some((kind) => error instanceof kind)) return true
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}

surviveLostConnections()
process.exitCode = await main(process.argv.slice(2))

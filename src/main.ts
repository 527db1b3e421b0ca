import { runCheckConfig } from './cli/check-config.ts'
import { runDevices } from './cli/devices.ts'
import { runExport } from './cli/export.ts'
import { runGenVapidKeys } from './cli/gen-vapid-keys.ts'
import { runImportCommand } from './cli/import.ts'
import { runMigrate } from './cli/migrate.ts'
import { runQueue } from './cli/queue.ts'
import { runServe } from './cli/serve.ts'
import { runSimulate } from './cli/simulate.ts'
import { runWorkerProcess } from './cli/worker-process.ts'
import { ConfigError } from './config/config-error.ts'
import { DataDirInUseError } from './database/data-dir-lock.ts'
import { surviveLostConnections } from './database/lost-connections.ts'
import { SchemaError } from './database/migrate.ts'
import { EmbeddedPostgresError } from './database/postgres-programs.ts'
import { ServiceAccountError } from './providers/fcm/service-account.ts'

interface Command {
  /** Undefined: not for people. */
  summary: string | undefined
  /** Resolves when the command is done, to its exit code; that is 0 when it resolves to nothing. */
  run(argv: string[]): Promise<unknown>
}

const COMMANDS: Record<string, Command> = {
  serve: { summary: 'run the server: API and workers', run: runServe },
  migrate: { summary: 'bring the database schema up to date', run: runMigrate },
  'check-config': { summary: 'check a configuration and print what is in force', run: runCheckConfig },
  import: { summary: 'bring devices and user topics from elsewhere', run: runImportCommand },
  export: { summary: 'write devices and user topics as NDJSON', run: runExport },
  devices: { summary: 'restore devices that were removed automatically', run: runDevices },
  queue: { summary: 'look at the queue, pause providers, retry what was given up', run: runQueue },
  'gen-vapid-keys': { summary: 'make a key pair for Web Push', run: runGenVapidKeys },
  simulate: { summary: 'run a stand-in for a push provider', run: runSimulate },
  'worker-process': { summary: undefined, run: runWorkerProcess },
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
    const code = await command.run(argv)
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
const USERS_ERRORS = [ConfigError, DataDirInUseError, EmbeddedPostgresError, SchemaError, ServiceAccountError]

function isUsersError(error: unknown): error is Error {
  if (USERS_ERRORS.some((kind) => error instanceof kind)) return true
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}

surviveLostConnections()
process.exitCode = await main(process.argv.slice(2))

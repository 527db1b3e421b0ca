import { UserError } from './config/user-error.ts'
import { surviveLostConnections } from './database/lost-connections.ts'

interface Command {
  /** A line of the help text; undefined for an internal command. */
  summary: string | undefined
  /** Loads the file of the command. Each run loads one command only, which saves start time and memory. */
  load(): Promise<Run>
}

/** Resolves to the exit code when the command has ended; undefined means 0. */
type Run = (argv: string[]) => Promise<unknown>

const COMMANDS: Record<string, Command> = {
  serve: { summary: 'run the server: API and workers', load: async () => (await import('./cli/serve.ts')).runServe },
  migrate: {
    summary: 'bring the database schema up to date',
    load: async () => (await import('./cli/migrate.ts')).runMigrate,
  },
  'check-config': {
    summary: 'check a configuration and print the options in force',
    load: async () => (await import('./cli/check-config.ts')).runCheckConfig,
  },
  import: {
    summary: 'store devices and user topics from a file or another server',
    load: async () => (await import('./cli/import.ts')).runImportCommand,
  },
  export: {
    summary: 'write devices and user topics as NDJSON',
    load: async () => (await import('./cli/export.ts')).runExport,
  },
  send: {
    summary: 'accept a push, or preview it for one device',
    load: async () => (await import('./cli/send.ts')).runSend,
  },
  devices: {
    summary: 'restore devices that were removed automatically',
    load: async () => (await import('./cli/devices.ts')).runDevices,
  },
  push: {
    summary: 'show sends and what became of their pushes',
    load: async () => (await import('./cli/push.ts')).runPush,
  },
  queue: {
    summary: 'show the queue, pause providers, retry dead letters',
    load: async () => (await import('./cli/queue.ts')).runQueue,
  },
  'gen-vapid-keys': {
    summary: 'make a key pair for Web Push',
    load: async () => (await import('./cli/gen-vapid-keys.ts')).runGenVapidKeys,
  },
  simulate: {
    summary: 'run a simulator of a push provider',
    load: async () => (await import('./cli/simulate.ts')).runSimulate,
  },
  'worker-process': {
    summary: undefined,
    load: async () => (await import('./cli/worker-process.ts')).runWorkerProcess,
  },
  'large-request-process': {
    summary: undefined,
    load: async () => (await import('./cli/large-request-process.ts')).runLargeRequestProcess,
  },
}

const HELP = `centripush: push notifications in front of a Centrifugo node

  centripush COMMAND [OPTIONS]

${Object.entries(COMMANDS)
  .flatMap(([name, { summary }]) => (summary === undefined ? [] : [`  ${name.padEnd(14)} ${summary}`]))
  .join('\n')}

centripush COMMAND --help explains a command.
`

async function main([name = 'help', ...argv]: string[]): Promise<number> {
  if (['help', '--help', '-h'].includes(name)) {
    process.stdout.write(HELP)
    return 0
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!command) {
    process.stderr.write(`centripush: unknown command '${name}'\n\n${HELP}`)
    return 2
  }
  try {
    const run = await command.load()
    const code = await run(argv)
    return typeof code === 'number' ? code : 0
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    for (const line of error.message.split('\n')) process.stderr.write(`centripush ${name}: ${line}\n`)
    return error.exitCode
  }
}

surviveLostConnections()
process.exitCode = await main(process.argv.slice(2))

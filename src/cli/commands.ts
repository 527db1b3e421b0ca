/** A command of centripush. */
export interface Command {
  /** A line of the help text; undefined for an internal command. */
  summary: string | undefined
  /** Loads the file of the command. Each run loads one command only, which saves start time and memory. */
  load(): Promise<Run>
}

/** Resolves to the exit code when the command has ended; undefined means 0. */
type Run = (argv: string[]) => Promise<unknown>

/** All commands by their names. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  serve: { summary: 'run the server: API and workers', load: async () => (await import('./serve.ts')).runServe },
  migrate: {
    summary: 'bring the database schema up to date',
    load: async () => (await import('./migrate.ts')).runMigrate,
  },
  'check-config': {
    summary: 'check a configuration and print the options in force',
    load: async () => (await import('./check-config.ts')).runCheckConfig,
  },
  import: {
    summary: 'store devices and user topics from a file or another server',
    load: async () => (await import('./import.ts')).runImportCommand,
  },
  export: {
    summary: 'write devices and user topics as NDJSON',
    load: async () => (await import('./export.ts')).runExport,
  },
  send: {
    summary: 'accept a push, or preview it for one device',
    load: async () => (await import('./send.ts')).runSend,
  },
  devices: {
    summary: 'restore devices that were removed automatically',
    load: async () => (await import('./devices.ts')).runDevices,
  },
  queue: {
    summary: 'show the queue, pause providers, retry dead letters',
    load: async () => (await import('./queue.ts')).runQueue,
  },
  'gen-vapid-keys': {
    summary: 'make a key pair for Web Push',
    load: async () => (await import('./gen-vapid-keys.ts')).runGenVapidKeys,
  },
  simulate: {
    summary: 'run a simulator of a push provider',
    load: async () => (await import('./simulate.ts')).runSimulate,
  },
  complete: {
    summary: 'print the completion script of a shell',
    load: async () => (await import('./complete.ts')).runComplete,
  },
  'worker-process': {
    summary: undefined,
    load: async () => (await import('./worker-process.ts')).runWorkerProcess,
  },
  'large-request-process': {
    summary: undefined,
    load: async () => (await import('./large-request-process.ts')).runLargeRequestProcess,
  },
}

/** The commands that users run: names and summaries. */
export function listCommands(): [name: string, summary: string][] {
  return Object.entries(COMMANDS).flatMap(([name, { summary }]) => (summary === undefined ? [] : [[name, summary]]))
}

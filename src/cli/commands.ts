import type { SUMMARIES } from './command-summaries.ts'

/** Resolves to the exit code when the command has ended; undefined means 0. */
type Run = (argv: string[]) => Promise<unknown>

/** The commands that only the server starts. */
type InternalCommand = 'worker-process' | 'api-process' | 'large-request-process'

type Commands = Record<keyof typeof SUMMARIES | InternalCommand, () => Promise<Run>>

/** Loads the file of each command. A run loads one command only, which saves start time and memory. */
const COMMANDS: Commands = {
  serve: async () => (await import('./serve.ts')).runServe,
  migrate: async () => (await import('./migrate.ts')).runMigrate,
  'check-config': async () => (await import('./check-config.ts')).runCheckConfig,
  import: async () => (await import('./import.ts')).runImportCommand,
  export: async () => (await import('./export.ts')).runExport,
  send: async () => (await import('./send.ts')).runSend,
  devices: async () => (await import('./devices.ts')).runDevices,
  push: async () => (await import('./push.ts')).runPush,
  queue: async () => (await import('./queue.ts')).runQueue,
  'gen-vapid-keys': async () => (await import('./gen-vapid-keys.ts')).runGenVapidKeys,
  simulate: async () => (await import('./simulate.ts')).runSimulate,
  complete: async () => (await import('./complete.ts')).runComplete,
  'worker-process': async () => (await import('./worker-process.ts')).runWorkerProcess,
  'api-process': async () => (await import('./api-process.ts')).runApiProcess,
  'large-request-process': async () => (await import('./large-request-process.ts')).runLargeRequestProcess,
}

/** Loads a command by its name; undefined if there is none with this name. */
export function loadCommand(name: string): Promise<Run> | undefined {
  return Object.entries(COMMANDS).find(([known]) => known === name)?.[1]()
}

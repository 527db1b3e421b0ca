/** The commands that users run, and the line about each in the help text. */
export const SUMMARIES = {
  serve: 'run the server: API and workers',
  migrate: 'bring the database schema up to date',
  'check-config': 'check a configuration and print the options in force',
  import: 'store devices and user topics from a file or another server',
  export: 'write devices and user topics as NDJSON',
  send: 'accept a push, or preview it for one device',
  devices: 'restore devices that were removed automatically',
  push: 'show sends and what became of their pushes',
  queue: 'show the queue, pause providers, retry dead letters',
  'gen-vapid-keys': 'make a key pair for Web Push',
  simulate: 'run a simulator of a push provider',
  complete: 'print the completion script of a shell',
} as const

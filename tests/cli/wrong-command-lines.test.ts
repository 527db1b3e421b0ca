// Refusals of wrong command lines, before a command opens its configuration or its database. The commands run in this
// process: `user-errors.test.ts` shows that a refusal is printed and exits with 2.
import { expect, test, vi } from 'vitest'
import { CommandLineError } from '../../src/cli/command-line-error.ts'
import { runDevices } from '../../src/cli/devices.ts'
import { runImportCommand } from '../../src/cli/import.ts'
import { runQueue } from '../../src/cli/queue.ts'
import { runSimulate } from '../../src/cli/simulate.ts'

const COMMANDS = { devices: runDevices, import: runImportCommand, queue: runQueue, simulate: runSimulate }

test.each<[keyof typeof COMMANDS, string[], string]>([
  ['queue', ['pause', 'gcm'], 'provider: expected one of'],
  ['queue', ['dead', '--limit', 'many'], '--limit: expected a whole number'],
  ['queue', ['what'], 'expected an action: stats'],
  ['queue', ['cancel'], 'expected the uid of a send'],
  ['devices', ['restore', '--since', '1h'], '--provider'],
  ['devices', ['restore', '--provider', 'gcm', '--since', '1h'], '--provider'],
  ['devices', ['restore', '--provider', 'fcm'], '--since'],
  ['devices', ['restore', '--provider', 'fcm', '--since', 'yesterday'], '--since'],
  ['import', [], 'expected devices or user-topics'],
  ['import', ['tokens', '-'], 'expected devices or user-topics'],
  ['import', ['devices'], 'expected a source'],
  ['import', ['devices', '-', '--from', 'http://x'], 'expected a source'],
  ['import', ['devices', '/there/is/no/such.file'], '/there/is/no/such.file does not exist'],
  ['import', ['devices', '--from', 'example.com', '--api-key', 'k'], '--from: expected the URL'],
  ['import', ['devices', '--from', 'http://127.0.0.1:1/api'], '--api-key'],
  ['import', ['devices', '-', '--nonsense'], 'unknown option --nonsense'],
  ['import', ['devices', '-', '--resume', 'a', '--resume', 'b'], '--resume is given twice'],
  ['simulate', [], 'expected a simulator: fcm, apns, hms, webpush'],
  ['simulate', ['gcm'], 'expected a simulator: fcm, apns, hms, webpush'],
  ['simulate', ['toString'], 'expected a simulator: fcm, apns, hms, webpush'],
  ['simulate', ['fcm', '--port', '70000'], '--port: expected 0 to 65535 but found 70000'],
  ['simulate', ['fcm', '--misbehave', '101'], '--misbehave: expected 0 to 100 but found 101'],
])('%s %j is refused with the reason', async (command, args, reason) => {
  vi.stubEnv('CENTRIPUSH_DATABASE_POSTGRESQL_DSN', 'postgresql://nobody@127.0.0.1:1/none')
  const refusal = await COMMANDS[command](args).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(refusal).toBeInstanceOf(CommandLineError)
  expect(refusal).toMatchObject({ message: expect.stringContaining(reason) })
})

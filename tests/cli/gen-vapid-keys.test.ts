import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { parseConfig } from '../../src/config/load.ts'
import { readVapidKeys } from '../../src/providers/webpush/vapid-keys.ts'
import { runCommand } from './command.ts'

test('gen-vapid-keys prints a configuration with a new pair each time', async () => {
  const results = await Promise.all([runCommand('', ['gen-vapid-keys']), runCommand('', ['gen-vapid-keys'])])
  const publicKeys = results.map(({ code, stdout }) => {
    expect(code).toBe(0)
    const { vapid_public_key: publicKey = '', vapid_private_key: privateKey = '' } = parseConfig(parse(stdout))
      .push_notifications.webpush
    return readVapidKeys(publicKey, privateKey).publicKey
  })
  expect(new Set(publicKeys).size).toBe(2)
})

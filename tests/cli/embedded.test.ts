import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startCentripush } from '../support/centripush-process.ts'
import { makeDirectory, runCommand } from './command.ts'

test('without a database section commands use the embedded database, also while a server runs it', async () => {
  const directory = makeDirectory()
  // As root the database runs as another user, who has to get in.
  chmodSync(directory, 0o755)
  const data_dir = join(directory, 'data')
  const config = join(directory, 'config.json')
  writeFileSync(config, JSON.stringify({ data_dir }))
  const line = `${JSON.stringify({ provider: 'fcm', platform: 'ios', token: 'a' })}\n`
  const imported = await runCommand('', ['import', 'devices', '-', '--config', config], line)
  expect(imported).toMatchObject({ code: 0, stderr: expect.stringContaining('1 devices stored') })
  const exported = await runCommand('', ['export', 'devices', '-', '--config', config])
  expect(JSON.parse(exported.stdout)).toMatchObject({ token: 'a' })
  const server = await startCentripush({ data_dir })
  onTestFinished(async () => void (await server.stop()))
  const exportedBeside = await runCommand('', ['export', 'devices', '-', '--config', config])
  expect(exportedBeside).toMatchObject({ code: 0, stdout: exported.stdout })
  const stats = await runCommand('', ['queue', 'stats', '--config', config])
  expect(stats).toMatchObject({ code: 0, stdout: expect.stringContaining('dead letters: 0') })
  // The server keeps its database.
  expect((await fetch(`${server.url}/health`)).status).toBe(200)
})

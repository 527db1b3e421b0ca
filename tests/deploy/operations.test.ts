// docs/operations.md: its commands run, and its links lead somewhere.
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { runCommandLine } from '../../src/cli/run-command-line.ts'
import { createTestDatabase } from '../support/database.ts'

const DOCS = resolve(import.meta.dirname, '../../docs')
const PAGE = readFileSync(resolve(DOCS, 'operations.md'), 'utf8')

/** The commands, in blocks and in the text. Those that serve, or that ask a provider, are left out. */
const COMMANDS = [...PAGE.matchAll(/(?:^|`)centripush ([^`\n]+)/gm)]
  .map(([, command = '']) => command)
  .filter((command) => !command.startsWith('serve') && !command.includes('--online'))

test('all commands of the page run', async () => {
  const database = await createTestDatabase()
  const directory = await mkdtemp(join(tmpdir(), 'centripush-operations-'))
  const output = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  onTestFinished(async () => {
    output.mockRestore()
    await database.drop()
    await rm(directory, { recursive: true })
  })
  const [config, send, devices] = ['config.json', 'send.json', 'devices.ndjson'].map((name) => join(directory, name))
  await writeFile(config ?? '', JSON.stringify({ database: { postgresql: { dsn: database.dsn } } }))
  const recipient = { fcm_tokens: ['token'] }
  await writeFile(send ?? '', JSON.stringify({ uid: 'campaign-7', recipient, notification: { fcm: { message: {} } } }))
  expect(COMMANDS.length).toBeGreaterThan(15)
  for (const command of [`send ${send}`, ...COMMANDS]) {
    const words = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word = '']) => quoted ?? word)
    const args = words.map((word) => (word === 'devices.ndjson' ? (devices ?? '') : word))
    expect(await runCommandLine([...args, '--config', config ?? '']), command).toBe(0)
  }
})

test('all links of the page lead to a file and a heading', () => {
  for (const [, target = ''] of PAGE.matchAll(/\]\(([^)]+)\)/g)) {
    const [file = '', anchor] = target.split('#')
    const path = file === '' ? resolve(DOCS, 'operations.md') : resolve(DOCS, file)
    expect(existsSync(path), target).toBe(true)
    if (anchor === undefined) continue
    const headings = [...readFileSync(path, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    )
    expect(headings, target).toContain(anchor)
  }
})

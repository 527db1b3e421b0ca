// docs/operations.md: its commands run, and its links lead somewhere.
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCommand } from '../cli/command.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

const DOCS = resolve(import.meta.dirname, '../../docs')
const PAGE = readFileSync(resolve(DOCS, 'operations.md'), 'utf8')

/** The commands, in blocks and in the text. Those that serve, or that ask a provider, are left out. */
const COMMANDS = [...PAGE.matchAll(/(?:^|`)centripush ([^`\n]+)/gm)]
  .map(([, command = '']) => command)
  .filter((command) => !command.startsWith('serve') && !command.includes('--online'))

let database: TestDatabase
let directory: string
beforeAll(async () => {
  database = await createTestDatabase()
  directory = await mkdtemp(join(tmpdir(), 'centripush-operations-'))
  const send = { uid: 'campaign-7', recipient: { fcm_tokens: ['token'] }, notification: { fcm: { message: {} } } }
  expect(await runCommand(database.dsn, ['send'], JSON.stringify(send))).toMatchObject({ code: 0 })
})
afterAll(async () => {
  await database.drop()
  await rm(directory, { recursive: true })
})

test('all commands of the page run', async () => {
  expect(COMMANDS.length).toBeGreaterThan(15)
  const failed: string[] = []
  for (const command of new Set(COMMANDS)) {
    const args = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word = '']) => quoted ?? word)
    const file = args.indexOf('devices.ndjson')
    if (file >= 0) args[file] = join(directory, 'devices.ndjson')
    const { code, stderr } = await runCommand(database.dsn, args)
    if (code !== 0) failed.push(`${command}: ${code} ${stderr}`)
  }
  expect(failed).toEqual([])
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

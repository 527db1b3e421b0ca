import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'

const SOURCES = resolve(import.meta.dirname, '../../src/observability')

/** Runs a script with a logger in a process of its own. Resolves to everything that it prints. */
async function runScript(script: string): Promise<string> {
  const text = `
    import { makeLogger } from ${JSON.stringify(join(SOURCES, 'log.ts'))}
    import { captureOutput } from ${JSON.stringify(join(SOURCES, 'capture-output.ts'))}
    ${script}`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', text]
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args)
  return stdout + stderr
}

test('a pipe gets JSON lines', async () => {
  const output = await runScript("makeLogger({ level: 'info', file: '' }).info({ port: 1 }, 'database: ready')")
  expect(JSON.parse(output)).toMatchObject({ level: 'info', port: 1, msg: 'database: ready' })
})

test('`pretty` gives readable lines, without colours in a file', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'centripush-log-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'log')
  const options = JSON.stringify({ level: 'info', file, format: 'pretty' })
  await runScript(`makeLogger(${options}).warn({ port: 1 }, 'database: ready')`)
  expect(readFileSync(file, 'utf8')).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: database: ready \{"port":1\}\n$/)
})

test('warnings of Node and messages of libraries become lines of the log', async () => {
  const output = await runScript(`
    captureOutput(makeLogger({ level: 'info', file: '' }))
    process.emitWarning('old', 'DeprecationWarning')
    console.error('[ioredis] Unhandled error event:', 'x'.repeat(1000))`)
  const lines = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines).toContainEqual(expect.objectContaining({ warning: 'DeprecationWarning', text: 'old' }))
  expect(lines.find(({ msg }) => msg === 'library: message').text.length).toBeLessThanOrEqual(500)
})

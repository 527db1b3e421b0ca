import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { onTestFinished } from 'vitest'
import { keepOutput } from '../support/run-log.ts'

const PROGRAM = resolve(import.meta.dirname, '../../bin/centripush.js')

export interface CommandResult {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs `centripush ARGS` on the database of `dsn` in a child process, with `input` on its standard input. */
export async function runCommand(dsn: string, args: string[], input = ''): Promise<CommandResult> {
  const child = startCommand(dsn, args)
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  child.stdin.end(input)
  await once(child, 'close')
  return { code: child.exitCode, ...output }
}

/** Starts the command and returns the running process. */
export function startCommand(dsn: string, args: string[]) {
  const env = Object.entries(process.env).filter(([name]) => !name.startsWith('CENTRIPUSH_'))
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...Object.fromEntries(env), CENTRIPUSH_DATABASE_POSTGRESQL_DSN: dsn },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  // Standard output is the requested data, tokens included, so it is not checked for secrets.
  keepOutput(child, ['stderr'])
  return child
}

/** A directory that is removed after the current test. */
export function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'centripush-cli-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Records as NDJSON. */
export function toLines(records: readonly object[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('')
}

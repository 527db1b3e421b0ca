// Checks after a whole run that no log has a token, a key, the path of an endpoint or a payload. The logs are those of
// the servers and of the parts that ran in the tests' processes, and the standard error of commands.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findLeaks, type Leak, SHORTEST_SECRET } from './find-leaks.ts'
import { RUN_DIRECTORY } from './run-log.ts'

let directory: string

/** Called by vitest before the first test. */
export function setup(): void {
  directory = mkdtempSync(join(tmpdir(), 'centripush-run-'))
  process.env[RUN_DIRECTORY] = directory
  // An interrupted run has no teardown.
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
}

/** Called by vitest after the last test. It sets the exit code, because vitest ignores an error of a teardown. */
export function teardown(): void {
  if (reportLeaks() > 0) process.exitCode = 1
}

/** Runs `work` as a whole run outside of vitest. Resolves to its exit code, or to 1 when a log has a secret. */
export async function withLeakCheck(work: () => Promise<number>): Promise<number> {
  setup()
  const code = await work()
  return reportLeaks() > 0 ? code || 1 : code
}

/** Prints the leaks of the run. @returns how many log lines have one */
function reportLeaks(): number {
  const secrets = readSecrets()
  const logs = readRun('.log')
  const leaks = logs.flatMap((log) => findLeaks(log, secrets))
  const lines = logs.reduce((sum, log) => sum + log.split('\n').length - 1, 0)
  console.log(`${lines} log lines, ${secrets.size} secrets of the tests, ${leaks.length} lines with a secret`)
  if (leaks.length > 0) console.error(`the logs have secrets:\n${describeLeaks(leaks)}`)
  return leaks.length
}

function readSecrets(): Set<string> {
  const words = readRun('.secrets').flatMap((text) => text.split('\n'))
  return new Set(words.filter((word) => word.length >= SHORTEST_SECRET))
}

function readRun(ending: string): string[] {
  const files = readdirSync(directory).filter((file) => file.endsWith(ending))
  return files.map((file) => readFileSync(join(directory, file), 'utf8'))
}

/** One line for each kind of leak, so that a frequent one does not hide the others. */
function describeLeaks(leaks: readonly Leak[]): string {
  const kinds = [...new Set(leaks.map(({ what }) => what))]
  return kinds
    .map((kind) => leaks.filter(({ what }) => what === kind))
    .map((alike) => `${alike[0]?.what}, ${alike.length} times, the first: ${alike[0]?.line}`)
    .join('\n')
}

// No token, key, endpoint path or payload is in any log of the whole run: the servers' own, those of the parts that ran in
// the tests' processes, and what commands wrote to standard error.
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
}

/** Called by vitest after the last test. Fails the run by its exit code: of what a teardown throws, vitest only tells. */
export function teardown(): void {
  const secrets = readSecrets()
  const logs = readRun('.log')
  const leaks = logs.flatMap((log) => findLeaks(log, secrets))
  const lines = logs.reduce((sum, log) => sum + log.split('\n').length - 1, 0)
  console.log(`${lines} lines of logs, ${secrets.size} secrets of the tests, ${leaks.length} lines with one`)
  rmSync(directory, { recursive: true })
  if (leaks.length === 0) return
  console.error(`the logs hold what they must not:\n${describeLeaks(leaks)}`)
  process.exitCode = 1
}

function readSecrets(): Set<string> {
  const words = readRun('.secrets').flatMap((text) => text.split('\n'))
  return new Set(words.filter((word) => word.length >= SHORTEST_SECRET))
}

function readRun(ending: string): string[] {
  const files = readdirSync(directory).filter((file) => file.endsWith(ending))
  return files.map((file) => readFileSync(join(directory, file), 'utf8'))
}

/** One line for each kind: a kind that is everywhere hides no other. */
function describeLeaks(leaks: readonly Leak[]): string {
  const kinds = [...new Set(leaks.map(({ what }) => what))]
  return kinds
    .map((kind) => leaks.filter(({ what }) => what === kind))
    .map((alike) => `${alike[0]?.what}, ${alike.length} times, the first: ${alike[0]?.line}`)
    .join('\n')
}

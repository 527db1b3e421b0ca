// What a whole test run logs, and the secrets that it used: kept in one directory for the look at its end (run-leaks.ts).
// Outside of vitest there is no such look, and nothing is kept.
import type { ChildProcess } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DestinationStream } from 'pino'
import { type Logger, makeLogger } from '../../src/observability/log.ts'
import type { Treatment } from '../../src/simulators/simulator-server.ts'

/** Names the directory in the environment of the run's processes. */
export const RUN_DIRECTORY = 'TEST_RUN_DIRECTORY'

/** Belongs into payloads of tests: it is looked for in every log. */
export const PAYLOAD_MARK = 'payload-of-a-test'

/** The same for tokens and keys that a test makes up: of devices, for access. */
export const TOKEN_MARK = 'token-of-a-test'

/** The server's own logger, at its finest level, for parts that run in the test's process. */
export function makeTestLogger(): Logger {
  const directory = process.env[RUN_DIRECTORY]
  if (directory === undefined) return makeLogger({ level: 'none', file: '' })
  return makeLogger({ level: 'trace', file: join(directory, `${process.pid}.log`) })
}

/** Where a logger of pino writes to whose lines a test reads: they are kept as well. */
export function keepLines(onLine: (line: string) => void): DestinationStream {
  const directory = process.env[RUN_DIRECTORY]
  return {
    write(line) {
      onLine(line)
      if (directory !== undefined) appendFileSync(join(directory, `${process.pid}-read.log`), line)
    },
  }
}

/** Keeps what a process writes: its log. Of a command whose standard output is data, `streams` leaves that out. */
export function keepOutput(
  child: ChildProcess,
  streams: readonly ('stdout' | 'stderr')[] = ['stdout', 'stderr'],
): void {
  const directory = process.env[RUN_DIRECTORY]
  if (directory === undefined) return
  for (const name of streams) {
    const file = join(directory, `${child.pid}-${name}.log`)
    child[name]?.on('data', (chunk: string | Buffer) => appendFileSync(file, chunk))
  }
}

/** Values that no log may have, such as tokens and keys; each line of one that has several counts by itself. */
export function noteSecrets(secrets: Iterable<string>): void {
  const directory = process.env[RUN_DIRECTORY]
  if (directory === undefined) return
  appendFileSync(join(directory, `${process.pid}.secrets`), [...secrets].map((secret) => `${secret}\n`).join(''))
}

/** Gathers whom a simulator is asked to send to, accepted or not, for noteSecrets(). `next` is told as well. */
export function watchTargets(next: ((treatment: Treatment) => void) | undefined) {
  const targets = new Set<string>()
  const onTreatment = (treatment: Treatment) => {
    for (const target of treatment.targets) targets.add(target)
    next?.(treatment)
  }
  return { targets, onTreatment }
}

// Keeps the logs and the secrets of a whole test run in one directory, which run-leaks.ts searches at the end. Without
// that directory nothing is kept.
import type { ChildProcess } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DestinationStream } from 'pino'
import { type Logger, makeLogger } from '../../src/observability/log.ts'
import type { Treatment } from '../../src/simulators/simulated-request.ts'

/** The environment variable with the directory. */
export const RUN_DIRECTORY = 'TEST_RUN_DIRECTORY'

/** A mark for payloads of tests. No log may contain it. */
export const PAYLOAD_MARK = 'payload-of-a-test'

/** A mark for tokens and keys that a test makes up. No log may contain it. */
export const TOKEN_MARK = 'token-of-a-test'

/** The server's logger at its finest level, for parts that run in the test's process. */
export function makeTestLogger(): Logger {
  const directory = process.env[RUN_DIRECTORY]
  if (directory === undefined) return makeLogger({ level: 'none', file: '' })
  return makeLogger({ level: 'trace', file: join(directory, `${process.pid}.log`) })
}

/** A destination for pino that gives each line to the test and keeps it. */
export function keepLines(onLine: (line: string) => void): DestinationStream {
  const directory = process.env[RUN_DIRECTORY]
  return {
    write(line) {
      onLine(line)
      if (directory !== undefined) appendFileSync(join(directory, `${process.pid}-read.log`), line)
    },
  }
}

/** Keeps the output of a process, which is its log. `streams` leaves out a standard output that is data. */
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

/** Adds values that no log may contain, such as tokens and keys. Each line of a value is searched by itself. */
export function noteSecrets(secrets: Iterable<string>): void {
  const directory = process.env[RUN_DIRECTORY]
  if (directory === undefined) return
  appendFileSync(join(directory, `${process.pid}.secrets`), [...secrets].map((secret) => `${secret}\n`).join(''))
}

/** Collects all targets of a simulator's requests for noteSecrets(), and passes each treatment to `next`. */
export function watchTargets(next: ((treatment: Treatment) => void) | undefined) {
  const targets = new Set<string>()
  const onTreatment = (treatment: Treatment) => {
    for (const target of treatment.targets) targets.add(target)
    next?.(treatment)
  }
  return { targets, onTreatment }
}

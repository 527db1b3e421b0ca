// One row of the table: a server is started, and stopped at a time after its start.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { listMarked, listWorkers, MARK } from '../support/marked-processes.ts'

const ROOT = resolve(import.meta.dirname, '../..')
/** After a second signal, the embedded PostgreSQL and the worker processes see the end of the server and end too. */
const GONE_MS = 10_000

/** How an operator stops a server. Ctrl-C reaches all processes of the terminal. */
export const WAYS = ['SIGTERM', 'Ctrl-C', 'Ctrl-C twice'] as const
/** The option `shutdown.timeout` of the servers, in s. */
export const TIMEOUT_SECONDS = 5
/** A second press of Ctrl-C follows after this many ms, which is more than the server takes for one press. */
const SECOND_PRESS_MS = 700
/** The time that a loaded machine needs to see the end of a process, in ms. */
const OBSERVATION_MS = 2000

export interface StopCase {
  seconds: number
  way: (typeof WAYS)[number]
  hasLoad: boolean
  /** Worker processes are stopped by SIGSTOP just before. */
  isFrozen: boolean
  program: readonly string[]
}

export interface StopResult {
  /** The latest event in the log before the stop. */
  phase: string
  frozen: number
  milliseconds: number
  /** The exit code, or the signal that ended the process. */
  end: number | NodeJS.Signals | null
  /** Processes of the server that outlive it for longer than `GONE_MS`, and the time until the others had ended. */
  orphans: number
  goneMilliseconds: number
  hasStack: boolean
}

/** Runs the server with the configuration file to its end. */
export async function runStopCase(stop: StopCase, file: string, mark: string): Promise<StopResult> {
  const [program = '', ...args] = stop.program
  const child = spawn(program, [...args, '--config', file], {
    cwd: ROOT,
    env: { ...process.env, [MARK]: mark },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const ended = once(child, 'close')
  const readOutput = collectOutput(child)
  await Promise.race([delay(stop.seconds * 1000), ended])
  const phase = readPhase(readOutput())
  const workers = stop.isFrozen ? listWorkers(mark) : []
  for (const pid of workers) process.kill(pid, 'SIGSTOP')
  const stoppedAt = performance.now()
  signal(child, stop.way)
  if (stop.way === 'Ctrl-C twice') {
    await Promise.race([delay(SECOND_PRESS_MS), ended])
    signal(child, stop.way)
  }
  await ended
  const milliseconds = Math.round(performance.now() - stoppedAt)
  const endedAt = performance.now()
  while (listMarked(mark).length > 0 && performance.now() - endedAt < GONE_MS) await delay(20)
  return {
    phase,
    frozen: workers.length,
    milliseconds,
    end: child.exitCode ?? child.signalCode,
    orphans: listMarked(mark).length,
    goneMilliseconds: Math.round(performance.now() - endedAt),
    hasStack: /"stack"|\n\s+at /.test(readOutput()),
  }
}

/**
 * What an operator may rely on. A signal ends a process by itself while Node is being loaded, which takes longer on a
 * loaded machine.
 */
export function isPromised({ phase, milliseconds, end, orphans, hasStack }: StopResult, { way }: StopCase): boolean {
  const isLoading = phase === ''
  const codes = [0, ...(way === 'Ctrl-C twice' ? [1] : []), ...(isLoading ? ['SIGTERM', 'SIGINT', 130, 143] : [])]
  const isInTime = milliseconds < TIMEOUT_SECONDS * 1000 + OBSERVATION_MS
  return isInTime && codes.includes(end ?? '') && orphans === 0 && !hasStack
}

function signal(child: ChildProcess, way: StopCase['way']): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  if (way === 'SIGTERM') child.kill('SIGTERM')
  else process.kill(-child.pid, 'SIGINT')
}

function collectOutput(child: ChildProcess): () => string {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return () => output
}

function readPhase(output: string): string {
  return [...output.matchAll(/"msg":"([^"]+)"/g)].at(-1)?.[1] ?? ''
}

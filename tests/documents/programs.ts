// Shell blocks: those that end, and services (the server, a simulator), which run until the end of their document or
// until another one of their kind starts.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, vi } from 'vitest'
import { keepOutput } from '../support/run-log.ts'

/** Each service, and the text that it prints when it is ready. */
const SERVICES = [
  { command: /\b(centripush serve|npm start)\b/, ready: 'centripush is running' },
  { command: /\bcentripush simulate\b/, ready: 'ca_file:' },
]
const START = { timeout: 90_000, interval: 50 }

/** A running service and its output. */
export interface Service {
  command: RegExp
  output: string
  stop(): Promise<void>
}

/** Where and with which environment a block runs. */
export interface Place {
  folder: string
  env: Record<string, string>
}

/** Runs a script to its end. Resolves to its output, errors included. @throws AssertionError unless its exit code is 0 */
export async function runScript(script: string, place: Place): Promise<string> {
  const child = startShell(script, place)
  let output = ''
  collectOutput(child, (text) => {
    output += text
  })
  await once(child, 'close')
  expect(child.exitCode, output).toBe(0)
  return output
}

function collectOutput(child: ChildProcess, add: (text: string) => void): void {
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', add)
}

/**
 * Starts the service in the last line of the script, and ends a running one of its kind. Resolves when it
 * is ready. @returns undefined if the script starts no service
 */
export async function startService(script: string, place: Place, running: Service[]): Promise<Service | undefined> {
  const lastLine = script.trimEnd().split('\n').at(-1) ?? ''
  const kind = SERVICES.find(({ command }) => command.test(lastLine))
  if (!kind) return undefined
  for (const service of running.filter(({ command }) => command === kind.command)) await service.stop()
  const child = startShell(script, place)
  keepOutput(child)
  const closed = once(child, 'close')
  const service: Service = {
    command: kind.command,
    output: '',
    async stop() {
      // The shell is the first process of a group of its own.
      const isRunning = child.exitCode === null && child.signalCode === null
      if (isRunning && child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
      await closed
    },
  }
  collectOutput(child, (text) => {
    service.output += text
  })
  const ended = closed.then(() => expect(service.output).toContain(kind.ready))
  const isReady = vi.waitFor(() => expect(service.output).toContain(kind.ready), START)
  await Promise.race([ended, isReady]).catch(async (error: unknown) => {
    await service.stop()
    throw error
  })
  return service
}

function startShell(script: string, { folder, env }: Place): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('CENTRIPUSH_'))
  return spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: folder,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
}

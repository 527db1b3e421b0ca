import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { InferInput } from 'valibot'
import type { Role } from '../../src/config/role.ts'
import type { ConfigSchema } from '../../src/config/schema.ts'
import { keepOutput, noteSecrets } from './run-log.ts'

const PORT_ATTEMPTS = 3
/** The ports of findFreePort(). Linux gives connections those from 32,768, and browsers refuse some below 11,000. */
const FIRST_PORT = 11_000
const LAST_PORT = 32_767
const PROGRAM = resolve(import.meta.dirname, '../../bin/centripush.js')
/** Far more than a start takes, and less than the time limit of a hook. */
const START_TIMEOUT_MS = 60_000
const HEALTH_POLL_MS = 50
const HEALTH_TIMEOUT_MS = 2000

/** The options of a server process. */
export interface CentripushOptions {
  role?: Role
  /** Additional environment variables. `CENTRIPUSH_…` variables of this process are not inherited. */
  env?: Record<string, string>
  /** Replaces `bin/centripush.js` on Node's command line: options, a script and its arguments. */
  program?: readonly string[]
  /** The time limit of the start; START_TIMEOUT_MS by default. */
  startTimeoutMs?: number
}

/** `centripush serve` in its own process, as an operator runs it. */
export interface CentripushProcess {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string
  readonly pid: number
  /** Its standard output, which includes the log, and its standard error. */
  readonly output: { stdout: string; stderr: string }
  /** Sends SIGTERM. Resolves to the exit code, or to null when a signal ended it. Safe to call twice. */
  stop(): Promise<number | null>
  /** Sends SIGKILL. Resolves when the process has ended. Needs a `dsn`: an embedded PostgreSQL would keep running. */
  kill(): Promise<void>
  /** Sends SIGSTOP: nothing runs in the process until `thaw`, as on a machine that hangs. */
  freeze(): void
  /** Sends SIGCONT. */
  thaw(): void
}

/**
 * Starts a server with `config` and resolves when `/health` answers 200. Port 0 or none chooses a free port. Embedded
 * parts are stored in a directory that is removed with the process.
 * @throws Error with its output when the process ends before
 */
export async function startCentripush(
  config: InferInput<typeof ConfigSchema>,
  options: CentripushOptions = {},
): Promise<CentripushProcess> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(config, options)
    } catch (error) {
      // Another process may have taken the free port.
      const isPortTaken = error instanceof Error && error.message.includes('EADDRINUSE')
      if (!isPortTaken || config.http_server?.port || attempt === PORT_ATTEMPTS) throw error
    }
  }
}

async function startOnce(
  config: InferInput<typeof ConfigSchema>,
  options: CentripushOptions,
): Promise<CentripushProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'centripush-process-'))
  const port = Number(config.http_server?.port) || (await findFreePort())
  const file = join(directory, 'config.json')
  const http_server = { address: '127.0.0.1', ...config.http_server, port }
  // Tests kill single processes, so a server has one process by default.
  const worker = { processes: 1, ...config.worker }
  const log = { level: 'debug' as const, ...config.log }
  await writeFile(file, JSON.stringify({ data_dir: join(directory, 'data'), ...config, http_server, worker, log }))
  const { program = [PROGRAM], role = 'all', startTimeoutMs = START_TIMEOUT_MS } = options
  const child = spawn(process.execPath, [...program, 'serve', '--config', file, '--role', role], {
    env: { ...ownEnvironment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close').then(() => rm(directory, { recursive: true, force: true }))
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await ended
    return child.exitCode
  }
  const output = collectOutput(child)
  keepOutput(child)
  noteSecrets([String(config.http_api?.key ?? '')])
  const url = `http://127.0.0.1:${port}`
  await waitUntilHealthy(url, child, output, startTimeoutMs).catch(async (error: unknown) => {
    await end('SIGKILL')
    throw error
  })
  return {
    url,
    pid: child.pid ?? 0,
    output,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL').then(() => {}),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  }
}

/**
 * Finds a free port of 127.0.0.1. It is below the ports that the kernel gives to connections and to listeners without a
 * port, so another test can hardly take it before it is used.
 */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1)
    if (await isFree(port)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    // Another process listens on it.
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}

function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CENTRIPUSH_')))
}

function collectOutput(child: ChildProcess): CentripushProcess['output'] {
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
  return output
}

async function waitUntilHealthy(
  url: string,
  child: ChildProcess,
  output: CentripushProcess['output'],
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
    if (await isHealthy(url)) return
    await delay(HEALTH_POLL_MS)
  }
  throw new Error(`centripush did not become healthy\n${output.stdout}${output.stderr}`)
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) })).status === 200
  } catch {
    // The port is not open yet.
    return false
  }
}

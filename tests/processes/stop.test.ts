// Signals to a server with everything embedded, at the moments of its life, as an operator sends them.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test, vi } from 'vitest'
import { makeDirectory } from '../cli/command.ts'
import { findFreePort } from '../support/centripush-process.ts'
import { keepOutput } from '../support/run-log.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const LONG = { timeout: 60_000, interval: 20 }
/** Marks the processes of a test, and their children, in their environment. */
const MARK = 'STOP_TEST_DIRECTORY'
const RUNNING = 'centripush is running'

interface Server {
  child: ChildProcess
  dataDir: string
  /** Resolves when the log has `text`. */
  said(text: string): Promise<void>
  /** The log. */
  output(): string
  /** Resolves to the exit code. */
  ended: Promise<number | null>
  /** The processes of the server that run. */
  listLeft(): number[]
}

async function start(options: { program?: string[]; config?: object } = {}): Promise<Server> {
  const directory = makeDirectory()
  // As root the database runs as another user, who has to get in.
  chmodSync(directory, 0o755)
  const dataDir = join(directory, 'data')
  const http_server = { address: '127.0.0.1', port: await findFreePort() }
  const file = join(directory, 'config.json')
  writeFileSync(
    file,
    JSON.stringify({ data_dir: dataDir, http_server, shutdown: { timeout: '4s' }, ...options.config }),
  )
  const [program = '', ...args] = options.program ?? [process.execPath, 'bin/centripush.js', 'serve']
  const child = spawn(program, [...args, '--config', file], {
    cwd: ROOT,
    env: { ...process.env, [MARK]: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  keepOutput(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const ended = once(child, 'close').then(() => child.exitCode)
  const said = async (text: string) => {
    const early = ended.then(() => expect(output).toContain(text))
    await Promise.race([early, vi.waitFor(() => expect(output).toContain(text), LONG)])
  }
  return { child, dataDir, said, output: () => output, ended, listLeft: () => listMarked(directory) }
}

/** The processes with the mark in their environment, from Linux's /proc. */
function listMarked(mark: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.filter((pid) => readText(`/proc/${pid}/environ`).includes(`${MARK}=${mark}`)).map(Number)
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // The process has ended.
    return ''
  }
}

/** A stop that the operator likes: no process is left, and no error is logged. */
async function expectCleanStop(server: Server): Promise<void> {
  expect(await server.ended).toBe(0)
  expect(server.output()).not.toMatch(/"level":"error"|"stack"|\n\s+at /)
  await vi.waitFor(() => expect(server.listLeft()).toEqual([]), LONG)
}

test.skipIf(process.platform !== 'linux')(
  'SIGTERM while the embedded PostgreSQL is made leaves nothing of it (needs /proc)',
  async () => {
    const server = await start()
    await server.said('making the embedded PostgreSQL')
    server.child.kill('SIGTERM')
    await expectCleanStop(server)
    expect(readdirSync(server.dataDir)).toEqual(['postgres.password'])
  },
)

test.skipIf(process.platform !== 'linux')(
  'Ctrl-C during the migrations, and in a running server with worker processes, stops all processes (needs /proc)',
  async () => {
    const first = await start()
    await first.said('migration applied')
    // Ctrl-C reaches the whole process group.
    process.kill(-(first.child.pid ?? 0), 'SIGINT')
    await expectCleanStop(first)
    const second = await start({ config: { data_dir: first.dataDir, worker: { processes: 2 } } })
    await second.said(RUNNING)
    process.kill(-(second.child.pid ?? 0), 'SIGINT')
    await expectCleanStop(second)
  },
)

test.skipIf(process.platform !== 'linux')(
  'frozen worker processes do not hold up a stop for longer than shutdown.timeout (needs /proc)',
  async () => {
    const server = await start({ config: { worker: { processes: 1 + 1 } } })
    await server.said(RUNNING)
    const workers = server.listLeft().filter((pid) => readText(`/proc/${pid}/cmdline`).includes('worker-process'))
    expect(workers).toHaveLength(3)
    for (const pid of workers) process.kill(pid, 'SIGSTOP')
    server.child.kill('SIGTERM')
    expect(await server.ended).toBe(0)
    await vi.waitFor(() => expect(server.listLeft()).toEqual([]), LONG)
  },
)

test.skipIf(process.platform !== 'linux')(
  'npm start passes signals on and waits; a second one stops at once, with exit code 1 (needs /proc)',
  async () => {
    const program = ['npm', 'start', '--silent', '--']
    const first = await start({ program })
    await first.said(RUNNING)
    first.child.kill('SIGTERM')
    await expectCleanStop(first)
    const config = { data_dir: first.dataDir, worker: { processes: 2 }, shutdown: { timeout: '60s' } }
    const second = await start({ program, config })
    await second.said(RUNNING)
    const workers = second.listLeft().filter((pid) => readText(`/proc/${pid}/cmdline`).includes('worker-process'))
    for (const pid of workers) process.kill(pid, 'SIGSTOP')
    second.child.kill('SIGINT')
    await second.said('"signal":"SIGINT"')
    await vi.waitFor(() => {
      second.child.kill('SIGINT')
      expect(second.output()).toContain('stopped immediately')
    }, LONG)
    expect(await second.ended).toBe(1)
    await vi.waitFor(() => expect(second.listLeft()).toEqual([]), LONG)
  },
)

// A server that runs as an operator starts it, and the processes that it leaves.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, vi } from 'vitest'
import { makeDirectory } from '../cli/command.ts'
import { findFreePort } from '../support/centripush-process.ts'
import { listMarked, listWorkers, MARK } from '../support/marked-processes.ts'
import { keepOutput } from '../support/run-log.ts'

const ROOT = resolve(import.meta.dirname, '../..')
/** For `vi.waitFor`. */
export const LONG = { timeout: 60_000, interval: 20 }
/** The last line of the log of a start. */
export const RUNNING = 'centripush is running'

/** A server in a process of its own. */
export interface Server {
  child: ChildProcess
  url: string
  dataDir: string
  /** Resolves when the log has `text`. */
  said(text: string): Promise<void>
  /** The log. */
  output(): string
  /** Resolves to the exit code. */
  ended: Promise<number | null>
  /** The processes of the server that run, and those of them that send pushes. */
  listLeft(): number[]
  listWorkers(): number[]
}

/** Starts a server with everything embedded that `config` does not name. It is killed after a test that fails. */
export async function startMarked(options: { program?: string[]; config?: object } = {}): Promise<Server> {
  const directory = makeDirectory()
  // For root, the database runs as another user, which needs access to the directory.
  chmodSync(directory, 0o755)
  const dataDir = join(directory, 'data')
  const port = await findFreePort()
  const http_server = { address: '127.0.0.1', port }
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
  onTestFinished(() => {
    for (const pid of listMarked(directory)) process.kill(pid, 'SIGKILL')
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
  const url = `http://127.0.0.1:${port}`
  const lists = { listLeft: () => listMarked(directory), listWorkers: () => listWorkers(directory) }
  return { child, url, dataDir, said, output: () => output, ended, ...lists }
}

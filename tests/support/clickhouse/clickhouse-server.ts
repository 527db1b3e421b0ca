import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findFreePort } from '../centripush-process.ts'
import { findClickhouse } from './program.ts'

const READY_POLL_MS = 20
const START_TIMEOUT_MS = 60_000
/** The server runs as long as this statement, which never ends. */
const RUN =
  'SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; SELECT sleepEachRow(3) FROM system.numbers SETTINGS ' +
  'max_block_size=1, function_sleep_max_microseconds_per_block=0, max_execution_time=0 FORMAT Null'

interface Options {
  /** The elements of its configuration file, as XML: clusters, macros. */
  configuration?: string
  /** Its file of users, as XML. It must contain `default` without a password. */
  users?: string
  httpPort?: number
  tcpPort?: number
}

/** A real ClickHouse with its own data, which can be killed and started again. Only if `findClickhouse()` finds it. */
export class TestClickhouse {
  readonly port: number
  readonly tcpPort: number
  readonly #directory: string
  #process: ChildProcess

  private constructor(directory: string, ports: { http: number; tcp: number }, server: ChildProcess) {
    this.#directory = directory
    this.port = ports.http
    this.tcpPort = ports.tcp
    this.#process = server
  }

  /** Starts a server without tables. Resolves when it answers. */
  static async start({ configuration = '', users, httpPort, tcpPort }: Options = {}): Promise<TestClickhouse> {
    const directory = await mkdtemp(join(tmpdir(), 'centripush-clickhouse-'))
    const usersFile = join(directory, 'users.xml')
    const all = users === undefined ? configuration : `${configuration}<users_config>${usersFile}</users_config>`
    await writeFile(join(directory, 'config.xml'), `<clickhouse>${all}</clickhouse>`)
    await writeFile(usersFile, `<clickhouse>${users ?? ''}</clickhouse>`)
    const ports = { http: httpPort ?? (await findFreePort()), tcp: tcpPort ?? (await findFreePort()) }
    return new TestClickhouse(directory, ports, await run(directory, ports))
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Runs a statement as the user `default`. Resolves to its result in the format TSV. @throws Error with the answer */
  async query(sql: string): Promise<string> {
    const response = await fetch(this.url, { method: 'POST', body: sql })
    const text = await response.text()
    if (!response.ok) throw new Error(text)
    return text.trim()
  }

  /** Sends SIGKILL. Resolves when the server has ended. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const gone = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await gone
  }

  /** Starts a killed server again, with its data. Resolves when it answers. */
  async restart(): Promise<void> {
    this.#process = await run(this.#directory, { http: this.port, tcp: this.tcpPort })
  }

  async stop(): Promise<void> {
    await this.kill()
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function run(directory: string, ports: { http: number; tcp: number }): Promise<ChildProcess> {
  const program = findClickhouse()
  if ('missing' in program) throw new Error(program.missing)
  const options = ['--path', join(directory, 'data'), '--config-file', join(directory, 'config.xml')]
  const listen = ['--listen_host', '127.0.0.1', '--http_port', `${ports.http}`, '--tcp_port', `${ports.tcp}`]
  const server = spawn(program.launcher, [program.library, ...options, ...listen, '--query', RUN], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let output = ''
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const deadlineMs = Date.now() + START_TIMEOUT_MS
  while (!(await answers(ports.http))) {
    if (server.exitCode !== null || Date.now() > deadlineMs) throw new Error(`ClickHouse does not start: ${output}`)
    await delay(READY_POLL_MS)
  }
  return server
}

async function answers(port: number): Promise<boolean> {
  // Until the port is open, the connection is refused.
  return await fetch(`http://127.0.0.1:${port}/ping`).then(
    ({ ok }) => ok,
    () => false,
  )
}

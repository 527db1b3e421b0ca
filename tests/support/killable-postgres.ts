import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startEmbeddedPostgres } from '../../src/database/embedded.ts'
import { openDatabase } from '../../src/database/pool.ts'
import { chooseUser, loadPrograms, type RunAs, runProgram } from '../../src/database/postgres-programs.ts'
import { makeLogger } from '../../src/observability/log.ts'

/** Pause between two checks of a starting server. */
const READY_POLL_MS = 20
const START_TIMEOUT_MS = 60_000

interface Cluster {
  dir: string
  program: string
  runAs: RunAs
  dsn: string
}

/** A new PostgreSQL with all durability on, as a child of this process. It can be killed and started again. */
export class KillablePostgres {
  readonly #dataDir: string
  readonly #cluster: Cluster
  #server: ChildProcess

  private constructor(dataDir: string, cluster: Cluster, server: ChildProcess) {
    this.#dataDir = dataDir
    this.#cluster = cluster
    this.#server = server
  }

  /** Starts a new cluster. Resolves when it answers. */
  static async start(): Promise<KillablePostgres> {
    const dataDir = await mkdtemp(join(tmpdir(), 'centripush-killable-'))
    // For root, the server runs as another user, which needs access to the directory.
    await chmod(dataDir, 0o755)
    const embedded = await startEmbeddedPostgres({ dataDir, logger: makeLogger({ level: 'error', file: '' }) })
    await embedded.stop()
    const dir = join(dataDir, 'postgres')
    const program = join(dirname((await loadPrograms()).initdb), 'postgres')
    const cluster = { dir, program, runAs: await chooseUser(dir), dsn: embedded.dsn }
    return new KillablePostgres(dataDir, cluster, await startServer(cluster))
  }

  /** The connection string, which stays the same after a restart. */
  get dsn(): string {
    return this.#cluster.dsn
  }

  /** Sends SIGKILL to all of its processes. Resolves when the server has ended. */
  async kill(): Promise<void> {
    const gone = once(this.#server, 'exit')
    await this.#signal('SIGKILL')
    await gone
  }

  /** Sends SIGSTOP to all of its processes: connections stay open, and nothing is answered until `thaw`. */
  freeze(): Promise<void> {
    return this.#signal('SIGSTOP')
  }

  /** Sends SIGCONT to all of its processes. */
  thaw(): Promise<void> {
    return this.#signal('SIGCONT')
  }

  async #signal(signal: NodeJS.Signals): Promise<void> {
    const server = this.#server.pid ?? 0
    const pids = [server, ...(await listChildren(server))]
    for (const pid of pids) if (isRunning(pid)) process.kill(pid, signal)
  }

  /** Starts the server again. Resolves when it answers, after its recovery. */
  async restart(): Promise<void> {
    this.#server = await startServer(this.#cluster)
  }

  async stop(): Promise<void> {
    if (this.#server.exitCode === null && this.#server.signalCode === null) await this.kill()
    await rm(this.#dataDir, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function startServer({ dir, program, runAs, dsn }: Cluster): Promise<ChildProcess> {
  const server = spawn(program, ['-D', dir, '-p', new URL(dsn).port], { ...runAs, cwd: resolve('/'), stdio: 'ignore' })
  const deadlineMs = Date.now() + START_TIMEOUT_MS
  while (!(await answers(dsn))) {
    if (server.exitCode !== null || Date.now() > deadlineMs) throw new Error('PostgreSQL does not start')
    await delay(READY_POLL_MS)
  }
  return server
}

async function answers(dsn: string): Promise<boolean> {
  const sql = openDatabase({ dsn, maxConnections: 1 })
  try {
    await sql`select`
    return true
  } catch {
    // The server is not listening yet, or recovering.
    return false
  } finally {
    await sql.end({ timeout: 0 })
  }
}

async function listChildren(parent: number): Promise<number[]> {
  const { output } = await runProgram('ps', ['-A', '-o', 'pid=,ppid='])
  const rows = output.split('\n').map((line) => line.trim().split(/\s+/).map(Number))
  return rows.flatMap(([pid, ppid]) => (pid !== undefined && ppid === parent ? [pid] : []))
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    // The process has ended, because its parent was killed.
    return false
  }
}

// The embedded database: a real PostgreSQL. Its programs come from an npm package, and its data is in data_dir.
//
//   data_dir/centripush.lock     names the process that uses the directory
//   data_dir/postgres.password   the password of the server
//   data_dir/postgres/           the cluster; named postgres.new until it is complete
//
// pg_ctl starts the server in its own session, so Ctrl-C in a terminal reaches centripush but not the server, which is
// stopped after the parts that use it. If centripush is killed, the server keeps running, and the next start adopts it.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { makeDataDir } from '../config/data-dir.ts'
import type { Logger } from '../observability/log.ts'
import { DataDirInUseError, hasCode, lockDataDir } from './data-dir-lock.ts'
import {
  checkReachable,
  chooseUser,
  EmbeddedPostgresError,
  loadPrograms,
  type Programs,
  type RunAs,
  runProgram,
} from './postgres-programs.ts'
import { findRunningServer } from './running-server.ts'

const ROLE = 'centripush'
/**
 * How often the server is started on a free port: another process may take the port before PostgreSQL listens on it.
 */
const START_ATTEMPTS = 3
/** How long a start may take: recovery after a crash of the machine can take minutes. */
const START_TIMEOUT_SECONDS = 300
const PASSWORD_BYTES = 24
const LOG_FILE = 'server.log'
const LOG_TAIL_LINES = 5

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '256MB',
  // JIT compilation is off: it takes longer than the statements themselves.
  jit: 'off',
  // With the default of a minute, broadcasts leave gigabytes of dead rows, and their vacuum stalls the next broadcasts.
  autovacuum_naptime: '2s',
  // Logs events of the server but no failed statements, because the details of these contain values.
  log_min_messages: 'log',
  log_error_verbosity: 'terse',
}

/**
 * Settings of glibc's malloc: freed blocks of up to 16 MiB are kept for the next statement. Otherwise the kernel clears
 * new memory for each page of targets (a text of 2 MB), which takes a quarter of the time of reading it. Variables of
 * the environment override these.
 */
const MALLOC = { MALLOC_MMAP_THRESHOLD_: '16777216', MALLOC_TRIM_THRESHOLD_: '16777216' }

/** The options of startEmbeddedPostgres(). */
export interface EmbeddedOptions {
  dataDir: string
  logger: Logger
  /** When it aborts, a cluster that is being made is removed, and the start fails. */
  stopping?: AbortSignal | undefined
}

/** A running embedded server. */
export interface EmbeddedPostgres {
  /** The DSN of the server, for openDatabase(). */
  dsn: string
  /** Whether the server was already running, started by an earlier process. */
  adopted: boolean
  /** Stops the server and releases the data directory. Close all pools first: open connections are cut. */
  stop(): Promise<void>
}

interface Cluster {
  dir: string
  programs: Programs
  runAs: RunAs
  password: string
}

/**
 * Starts the PostgreSQL in `dataDir`. If the directory is missing, it is made.
 * @throws DataDirInUseError if another process uses the directory
 * @throws EmbeddedPostgresError if PostgreSQL can't run on this machine
 * @throws ConfigError if `dataDir` can't be made
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir)
  const programs = await loadPrograms()
  makeDataDir(dataDir)
  const unlock = await lockDataDir(dataDir)
  try {
    const cluster = await openCluster(dataDir, programs, options)
    const running = await findRunningServer(cluster.dir, (port) => makeDsn(cluster, port))
    const port = running ?? (await startServer(cluster))
    options.logger.info({ port, dataDir, adopted: running !== undefined }, 'database: embedded PostgreSQL started')
    const stopNow = () => signalServer(cluster)
    // A process that exits in the middle of a shutdown leaves no server behind.
    process.once('exit', stopNow)
    const stop = async () => {
      process.off('exit', stopNow)
      try {
        await stopServer(cluster)
      } finally {
        await unlock()
      }
    }
    return { dsn: makeDsn(cluster, port), adopted: running !== undefined, stop }
  } catch (error) {
    await unlock()
    throw error
  }
}

/**
 * Joins the PostgreSQL in `dataDir` if a server process runs it, or starts it for the duration of a command.
 * @throws the errors of startEmbeddedPostgres(); DataDirInUseError while a server process is starting it
 */
export async function joinEmbeddedPostgres(options: EmbeddedOptions) {
  try {
    return await startEmbeddedPostgres(options)
  } catch (error) {
    if (!(error instanceof DataDirInUseError)) throw error
    const cluster = await openCluster(resolve(options.dataDir), await loadPrograms(), options)
    const port = await findRunningServer(cluster.dir, (port) => makeDsn(cluster, port))
    if (port === undefined) throw error
    return { dsn: makeDsn(cluster, port), stop: async () => undefined }
  }
}

async function openCluster(
  dataDir: string,
  programs: Programs,
  { logger, stopping }: Omit<EmbeddedOptions, 'dataDir'>,
): Promise<Cluster> {
  const dir = join(dataDir, 'postgres')
  const runAs = await chooseUser(dir)
  await checkReachable(programs.initdb, runAs)
  await checkReachable(dataDir, runAs)
  const exists = await hasFile(join(dir, 'PG_VERSION'))
  const password = await loadPassword(join(dataDir, 'postgres.password'), exists)
  const cluster = { dir, programs, runAs, password }
  if (!exists) {
    logger.info({ dataDir }, 'database: making the embedded PostgreSQL')
    await makeCluster(cluster, stopping)
  }
  return cluster
}

/**
 * Reads the password of the server, or makes one. It is stored before the cluster is made, so that no cluster exists
 * without its password.
 */
async function loadPassword(path: string, isNeeded: boolean): Promise<string> {
  if (await hasFile(path)) return (await readFile(path, 'utf8')).trim()
  if (isNeeded)
    throw new EmbeddedPostgresError(
      `${path}: the password of the embedded PostgreSQL is missing; restore the file from a backup`,
    )
  const password = randomBytes(PASSWORD_BYTES).toString('base64url')
  await writeFile(path, `${password}\n`, { mode: 0o600, flush: true })
  return password
}

async function hasFile(path: string): Promise<boolean> {
  const file = await stat(path).catch((error: unknown) => {
    if (!hasCode(error, 'ENOENT')) throw error
  })
  return file !== undefined
}

/**
 * Makes the cluster under another name and renames it when it is complete: an interrupted run never leaves an
 * incomplete cluster.
 */
async function makeCluster({ dir, programs, runAs, password }: Cluster, stopping?: AbortSignal): Promise<void> {
  const newDir = `${dir}.new`
  const newPasswordFile = `${dir}.new-password`
  try {
    await rm(newDir, { recursive: true, force: true })
    await mkdir(newDir, { mode: 0o700 })
    await writeFile(newPasswordFile, password, { mode: 0o600 })
    if (runAs) for (const path of [newDir, newPasswordFile]) await chown(path, runAs.uid, runAs.gid)
    const { code, output } = await runProgram(programs.initdb, initdbArguments(newDir, newPasswordFile), runAs, {
      stopping,
    })
    if (code !== 0) throw new EmbeddedPostgresError(`initdb failed: ${output}`)
    await rename(newDir, dir)
  } finally {
    for (const path of [newDir, newPasswordFile]) await rm(path, { recursive: true, force: true })
  }
}

function initdbArguments(dir: string, passwordFile: string): string[] {
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['--set', `${name}=${value}`])
  const auth = ['--username', ROLE, '--pwfile', passwordFile, '--auth', 'scram-sha-256']
  // The builtin locale provider sorts by code point on every platform, independently of the system's locales.
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--encoding=UTF8']
  return ['--pgdata', dir, ...auth, ...locale, ...settings]
}

async function startServer({ dir, programs, runAs }: Cluster): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = await findFreePort()
    const log = ['--log', join(dir, LOG_FILE)]
    const wait = ['--wait', `--timeout=${START_TIMEOUT_SECONDS}`]
    const args = ['start', ...wait, '--pgdata', dir, ...log, '-o', `-p ${port}`]
    const { code, output } = await runProgram(programs.pg_ctl, args, runAs, { env: { ...MALLOC, ...process.env } })
    if (code === 0) return port
    if (attempt < START_ATTEMPTS) continue
    const lines = (await readFile(join(dir, LOG_FILE), 'utf8').catch(() => output)).trim().split('\n')
    throw new EmbeddedPostgresError(`PostgreSQL does not start: ${lines.slice(-LOG_TAIL_LINES).join(' | ')}`)
  }
}

async function stopServer({ dir, programs, runAs }: Cluster): Promise<void> {
  const { code, output } = await runProgram(programs.pg_ctl, ['stop', '--wait', '--mode=fast', '--pgdata', dir], runAs)
  if (code !== 0) throw new EmbeddedPostgresError(`PostgreSQL does not stop: ${output}`)
}

/** Asks the server to stop, without waiting for it. */
function signalServer({ dir }: Cluster): void {
  try {
    // SIGINT is the fast shutdown: it ends connections.
    process.kill(Number(readFileSync(join(dir, 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGINT')
  } catch {
    // It has ended already.
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  // The cast is safe: a TCP server that listens has an address with a port.
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function makeDsn({ password }: Cluster, port: number): string {
  return `postgresql://${ROLE}:${password}@127.0.0.1:${port}/postgres`
}

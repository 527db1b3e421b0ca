// PostgreSQL servers as an operator may configure them: TLS, IPv6, sockets, a standby, several users.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openDatabase } from '../../src/database/pool.ts'
import { chooseUser, loadPrograms, type RunAs, runProgram } from '../../src/database/postgres-programs.ts'
import { makeCertificates } from '../../src/simulators/certificates.ts'
import { findFreePort } from './centripush-process.ts'
import { waitForPort } from './wait-for-port.ts'

const START_POLL_MS = 30
const START_TIMEOUT_MS = 60_000

/** The superuser of the servers. */
export const ADMIN = { user: 'admin', password: 'admin-password' }

/** A server of its own for a test. */
export interface TestPostgres {
  port: number
  /** The directory of its socket, of the file `ca.crt`, and of its data. */
  directory: string
  /** The connection string of the superuser. */
  dsn: string
  /** Starts it; resolves when it answers. It is started already. */
  start(): Promise<void>
  /** Ends it; `start` continues it. */
  end(): Promise<void>
  /** Ends it and removes its files. */
  remove(): Promise<void>
}

interface Options {
  /** The lines of pg_hba.conf. */
  hba: string
  /** Lines of postgresql.conf. */
  settings?: string
  /** A stopped copy of this server becomes a standby. */
  standbyOf?: TestPostgres
  /** It refuses all connections, so the start waits only for its port. */
  isSilent?: boolean
}

/** Makes a cluster and starts it. It has TLS, listens on 127.0.0.1 and ::1, and has a socket. */
export async function startPostgresCluster({
  hba,
  settings = '',
  standbyOf,
  isSilent = false,
}: Options): Promise<TestPostgres> {
  const directory = await mkdtemp(join(tmpdir(), 'centripush-cluster-'))
  await chmod(directory, 0o755)
  const data = join(directory, 'data')
  const runAs = await chooseUser(directory)
  if (runAs) await chown(directory, runAs.uid, runAs.gid)
  const { initdb } = await loadPrograms()
  if (standbyOf) await copyData(standbyOf, data, runAs)
  else await makeData(initdb, directory, data, runAs)
  await writeOwned(join(data, 'pg_hba.conf'), hba, runAs)
  await writeTls(directory, data, runAs)
  const port = await findFreePort()
  const all = [
    `port = ${port}`,
    "listen_addresses = '127.0.0.1,::1'",
    `unix_socket_directories = '${directory}'`,
    'ssl = on',
    'fsync = off',
    'max_connections = 60',
    settings,
  ]
  await writeOwned(join(data, 'postgresql.auto.conf'), `${all.join('\n')}\n`, runAs)
  if (standbyOf) await writeOwned(join(data, 'standby.signal'), '', runAs)
  const dsn = `postgresql://${ADMIN.user}:${ADMIN.password}@127.0.0.1:${port}/postgres`
  const program = join(dirname(initdb), 'postgres')
  let server: ChildProcess | undefined
  const start = async () => {
    server = spawnServer(program, data, runAs)
    await waitForAnswer(server, dsn)
  }
  const end = async () => {
    if (!server || server.exitCode !== null) return
    const gone = once(server, 'exit')
    server.kill('SIGINT')
    await gone
  }
  const remove = async () => {
    await end()
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
  if (isSilent) {
    server = spawnServer(program, data, runAs)
    await waitForPort(port, server)
  } else await start()
  return { port, directory, dsn, start, end, remove }
}

async function makeData(initdb: string, directory: string, data: string, runAs: RunAs): Promise<void> {
  const passwordFile = join(directory, 'password')
  await writeOwned(passwordFile, ADMIN.password, runAs)
  const args = ['--pgdata', data, '--username', ADMIN.user, '--pwfile', passwordFile, '--auth', 'scram-sha-256']
  const { code, output } = await runProgram(initdb, [...args, '--no-sync', '--encoding=UTF8', '--locale=C'], runAs)
  if (code !== 0) throw new Error(`initdb failed: ${output}`)
}

async function copyData(of: TestPostgres, data: string, runAs: RunAs): Promise<void> {
  await of.end()
  await cp(join(of.directory, 'data'), data, { recursive: true })
  await of.start()
  if (runAs) await runProgram('chown', ['-R', `${runAs.uid}:${runAs.gid}`, data])
  await chmod(data, 0o700)
}

/** The authority of the servers is in `ca.crt`, and that of client certificates is the same. */
async function writeTls(directory: string, data: string, runAs: RunAs): Promise<void> {
  const { caCert, cert, key } = await makeCertificates()
  await writeFile(join(directory, 'ca.crt'), caCert)
  await writeOwned(join(data, 'server.crt'), cert, runAs)
  await writeOwned(join(data, 'server.key'), key, runAs)
}

async function writeOwned(file: string, content: string, runAs: RunAs): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, content, { mode: 0o600 })
  if (runAs) await chown(file, runAs.uid, runAs.gid)
}

function spawnServer(program: string, data: string, runAs: RunAs): ChildProcess {
  return spawn(program, ['-D', data], { ...runAs, cwd: resolve('/'), stdio: ['ignore', 'ignore', 'pipe'] })
}

async function waitForAnswer(server: ChildProcess, dsn: string): Promise<void> {
  let log = ''
  server.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString()
  })
  const deadlineMs = Date.now() + START_TIMEOUT_MS
  while (!(await answers(dsn))) {
    if (server.exitCode !== null || Date.now() > deadlineMs) throw new Error(`PostgreSQL does not start: ${log}`)
    await delay(START_POLL_MS)
  }
}

async function answers(dsn: string): Promise<boolean> {
  const sql = openDatabase({ dsn, maxConnections: 1 })
  try {
    await sql.unsafe('select 1')
    return true
  } catch {
    // The server is not listening yet.
    return false
  } finally {
    await sql.end({ timeout: 0 })
  }
}

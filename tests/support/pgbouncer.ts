// pgbouncer in front of a PostgreSQL, on a free port.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chooseUser } from '../../src/database/postgres-programs.ts'
import { findFreePort } from './centripush-process.ts'
import { findOrInstall } from './installed-program.ts'
import { waitForPort } from './wait-for-port.ts'

/** A running pgbouncer. */
export interface Pgbouncer {
  /** The connection string of the same database through it. */
  dsn: string
  stop(): Promise<void>
}

/** Starts a pgbouncer in front of the server of `dsn`. @param settings lines of its section, such as `pool_mode` */
export async function startPgbouncer(dsn: string, settings: Record<string, string>): Promise<Pgbouncer> {
  const program = findOrInstall(['pgbouncer'], 'pgbouncer')
  const directory = await mkdtemp(join(tmpdir(), 'centripush-pgbouncer-'))
  await chmod(directory, 0o755)
  const url = new URL(dsn)
  const port = await findFreePort()
  const own = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'trust',
    auth_file: join(directory, 'users.txt'),
    default_pool_size: 100,
    max_client_conn: 300,
  }
  const lines = Object.entries({ ...own, ...settings }).map(([name, value]) => `${name} = ${value}`)
  const target = `* = host=${url.hostname} port=${url.port}`
  await writeFile(join(directory, 'pgbouncer.ini'), ['[databases]', target, '[pgbouncer]', ...lines, ''].join('\n'))
  await writeFile(own.auth_file, `"${url.username}" "${url.password}"\n`)
  // It does not run as root.
  const runAs = await chooseUser(directory)
  if (runAs) await chown(directory, runAs.uid, runAs.gid)
  const env = { PATH: `${process.env.PATH}:/usr/sbin` }
  const child = spawn(program, ['-q', join(directory, 'pgbouncer.ini')], {
    ...runAs,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await waitForPort(port, child)
  const stop = async () => {
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
    await rm(directory, { recursive: true, force: true })
  }
  url.port = String(port)
  return { dsn: url.href, stop }
}

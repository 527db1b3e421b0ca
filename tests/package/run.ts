// npm run test:package: the image and the package, built by their own steps in empty folders, each started on an empty
// database of its own, asked to send, and stopped. It needs the network or npm's cache.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import postgres from 'postgres'
import { findFreePort } from '../support/centripush-process.ts'
import { buildImage, type Image } from './build-image.ts'
import { run } from './run-command.ts'
import { sendOne } from './send-one.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const START_TIMEOUT_MS = 60_000
const KEY = 'key-of-the-package-test'

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'centripush-package-'))
  // The embedded PostgreSQL runs as another user, who has to get in.
  await run('chmod', ['755', directory], ROOT)
  try {
    const tarball = await pack(directory)
    await installAsUnitSays(directory, tarball)
    const database = await startByNpx(directory, tarball)
    try {
      const image = await buildImage(ROOT, join(directory, 'image'))
      await startImage(image, await createDatabase(database.dsn, 'image'))
    } finally {
      await database.stop()
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function pack(directory: string): Promise<string> {
  const name = (await run('npm', ['pack', '--silent', '--pack-destination', directory], ROOT)).trim().split('\n').at(-1)
  const tarball = join(directory, name ?? '')
  const files = (await run('tar', ['-tf', tarball], directory)).trim().split('\n')
  const foreign = files.filter((file) => /^package\/(src|tests|bench|compat-tests|build|node_modules)\//.test(file))
  if (foreign.length > 0) throw new Error(`the package has ${foreign.slice(0, 3).join(', ')}…`)
  const size = await run('du', ['-k', tarball], directory)
  console.log(`package: ${files.length} files, ${size.split('\t')[0]} kB`)
  return tarball
}

/** deploy/systemd/centripush.service names this command and the program that it makes. */
async function installAsUnitSays(directory: string, tarball: string): Promise<void> {
  const prefix = join(directory, 'opt')
  await run('npm', ['install', '--silent', '--global', '--prefix', prefix, tarball], directory)
  await run(join(prefix, 'bin/centripush'), ['--version'], directory)
  console.log('package: installs for the systemd unit')
}

/** Starts the package with everything embedded, and leaves it running: its PostgreSQL has the image's database too. */
async function startByNpx(directory: string, tarball: string) {
  const folder = join(directory, 'empty')
  mkdirSync(folder)
  const env = { npm_config_cache: join(directory, 'npm-cache') }
  const args = ['--yes', '--package', tarball, 'centripush', 'serve']
  const server = await startServer('npx', args, folder, env)
  const dsn = await readDsn(join(folder, 'data'))
  console.log('package: npx serves from an empty folder')
  return { dsn, stop: server.stop }
}

async function readDsn(dataDir: string): Promise<string> {
  const password = (await run('cat', ['postgres.password'], dataDir)).trim()
  const port = (await run('cat', ['postgres/postmaster.pid'], dataDir)).split('\n')[3]
  return `postgresql://centripush:${password}@127.0.0.1:${port}/postgres`
}

/** Creates a database on the server of `dsn`. Resolves to its DSN. */
async function createDatabase(dsn: string, name: string): Promise<string> {
  const sql = postgres(dsn, { max: 1 })
  await sql`create database ${sql(name)}`
  await sql.end()
  const url = new URL(dsn)
  url.pathname = name
  return url.href
}

async function startImage({ directory, command, env, kilobytes }: Image, dsn: string): Promise<void> {
  const [program = '', ...args] = command
  const database = { CENTRIPUSH_DATABASE_POSTGRESQL_DSN: dsn }
  const server = await startServer(program, args, directory, { ...env, ...database })
  const code = await server.stop()
  if (code !== 0) throw new Error(`the image ended with ${code} after SIGTERM`)
  console.log(`image: its steps work, ${Math.round(kilobytes / 1024)} MB beside Node; it sends and stops`)
}

/** Resolves when the server has sent a push. */
async function startServer(program: string, args: string[], cwd: string, env: NodeJS.ProcessEnv) {
  const port = await findFreePort()
  const settings = { CENTRIPUSH_HTTP_API_KEY: KEY, CENTRIPUSH_HTTP_SERVER_PORT: String(port) }
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env, ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const ended = once(child, 'close')
  const stop = async () => {
    // The whole group: npx does not pass signals on.
    if (child.exitCode === null && child.pid) process.kill(-child.pid, 'SIGTERM')
    await ended
    return child.exitCode
  }
  try {
    await sendOne(`http://127.0.0.1:${port}`, KEY, START_TIMEOUT_MS, () => child.exitCode !== null)
  } catch (error) {
    await stop()
    throw new Error(output, { cause: error })
  }
  return { stop }
}

await main()

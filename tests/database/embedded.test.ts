import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startEmbeddedPostgres } from '../../src/database/embedded.ts'
import { openDatabase } from '../../src/database/pool.ts'
import { makeTestLogger } from '../support/run-log.ts'

const logger = makeTestLogger()
let dataDir: string

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'centripush-embedded-'))
  await chmod(dataDir, 0o755)
})

afterEach(() => rm(dataDir, { recursive: true }))

const start = () => startEmbeddedPostgres({ dataDir, logger })

async function run(dsn: string, text: string) {
  const sql = openDatabase({ dsn, maxConnections: 1 })
  try {
    return [...(await sql.unsafe(text))]
  } finally {
    await sql.end()
  }
}

async function spawnOwner(): Promise<{ child: ChildProcess; line: Record<string, unknown> }> {
  const script = fileURLToPath(new URL('owner-process.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', script, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  return { child, line: JSON.parse(line) }
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

test('keeps its data when it is stopped and started again', async () => {
  const first = await start()
  await run(first.dsn, "create table kept as select 'here' as value")
  await first.stop()
  await expect(run(first.dsn, 'select')).rejects.toThrow('ECONNREFUSED')
  const second = await start()
  expect(await run(second.dsn, 'select value from kept')).toEqual([{ value: 'here' }])
  await second.stop()
})

// Memory from the kernel arrives page by page, each with a page fault. Linux counts the faults.
test.skipIf(process.platform !== 'linux')(
  'keeps the memory of one large text for the next (page faults are told by Linux only)',
  async () => {
    const server = await start()
    const sql = openDatabase({ dsn: server.dsn, maxConnections: 1 })
    try {
      const [backend] = await sql`select pg_backend_pid() as pid`
      const readText = () => sql`select string_agg(repeat('x', 200), E'\n') from generate_series(1, 10000)`
      const readFaults = async () =>
        Number((await readFile(`/proc/${Number(backend?.pid)}/stat`, 'utf8')).split(') ')[1]?.split(' ')[7])
      for (let warmUp = 0; warmUp < 3; warmUp++) await readText()
      const before = await readFaults()
      for (let time = 0; time < 10; time++) await readText()
      const pagesOfOne = 2_000_000 / 4096
      expect((await readFaults()) - before).toBeLessThan(pagesOfOne)
    } finally {
      await sql.end()
      await server.stop()
    }
  },
)

test('refuses connections without its password, which only the owner can read', async () => {
  const server = await start()
  const wrong = new URL(server.dsn)
  wrong.password = 'wrong'
  await expect(run(wrong.href, 'select')).rejects.toThrow('password authentication failed')
  expect((await stat(join(dataDir, 'postgres.password'))).mode & 0o777).toBe(0o600)
  await server.stop()
})

test('stores UTF-8 and sorts the same on every platform', async () => {
  const server = await start()
  const rows = await run(server.dsn, "select upper('é') as upper, 'B' < 'a' as by_code_point")
  expect(rows).toEqual([{ upper: 'É', by_code_point: true }])
  await server.stop()
})

test('a server keeps running when its owner is killed, and the next start adopts it', async () => {
  const { child, line } = await spawnOwner()
  expect(line).toMatchObject({ adopted: false })
  await run(String(line.dsn), 'create table kept ()')
  await kill(child)
  const next = await start()
  expect(next).toMatchObject({ adopted: true, dsn: line.dsn })
  expect(await run(next.dsn, 'select from kept')).toEqual([])
  await next.stop()
  await expect(run(next.dsn, 'select')).rejects.toThrow('ECONNREFUSED')
})

test('a second process on the same directory is refused with the pid of the first one, which is not affected', async () => {
  const { child, line } = await spawnOwner()
  await expect(start()).rejects.toThrow(`used by another centripush (process ${child.pid})`)
  await run(String(line.dsn), 'select')
  await kill(child)
  await (await start()).stop()
})

test('files of killed processes do not prevent a start', async () => {
  const first = await start()
  await run(first.dsn, 'create table kept ()')
  const pidFile = join(dataDir, 'postgres', 'postmaster.pid')
  const stalePid = await readFile(pidFile, 'utf8')
  await first.stop()
  const gone = spawn(process.execPath, ['--version'])
  await once(gone, 'exit')
  await writeFile(pidFile, stalePid.replace(/^\d+/, String(gone.pid)))
  await writeFile(join(dataDir, 'centripush.lock'), `${gone.pid} 1\n`)
  const second = await start()
  expect(second.adopted).toBe(false)
  expect(await run(second.dsn, 'select from kept')).toEqual([])
  await second.stop()
})

test('a start after an interrupted first start succeeds', async () => {
  await writeFile(join(dataDir, 'postgres.password'), 'kept\n', { mode: 0o600 })
  await (await start()).stop()
  expect(await readFile(join(dataDir, 'postgres.password'), 'utf8')).toBe('kept\n')
})

test('a cluster without its password file is refused and unchanged', async () => {
  await (await start()).stop()
  await rm(join(dataDir, 'postgres.password'))
  await expect(start()).rejects.toThrow(/password of the embedded PostgreSQL is missing/)
  await expect(stat(join(dataDir, 'postgres', 'PG_VERSION'))).resolves.toBeDefined()
})

test.runIf(process.getuid?.() === 0)('as root, a directory that the system user may not enter is named', async () => {
  await chmod(dataDir, 0o700)
  await expect(start()).rejects.toThrow(`which may not enter ${dataDir}: run "chmod o+x ${dataDir}"`)
})

test('the space of deleted rows is reused within seconds, so the batches of a broadcast do not fill the disk', async () => {
  const server = await start()
  const sql = openDatabase({ dsn: server.dsn, maxConnections: 1 })
  try {
    await sql`create table batches (id integer) with (autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0)`
    const look = async () => {
      await sql`insert into batches select generate_series(1, 1000)`
      await sql`delete from batches`
      await sql`select pg_stat_force_next_flush()`
      const [row] = await sql`select autovacuum_count > 1 as twice from pg_stat_user_tables where relname = 'batches'`
      expect(row).toEqual({ twice: true })
    }
    await vi.waitFor(look, { timeout: 30_000, interval: 500 })
  } finally {
    await sql.end()
    await server.stop()
  }
}, 60_000)

// A start waits for PostgreSQL and Redis that are still starting, and not for a mistake.
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openRedis } from '../../src/assemble/open-redis.ts'
import { parseConfig } from '../../src/config/load.ts'
import { startDatabase } from '../../src/database/start-database.ts'
import { startAssembly } from '../support/assembly.ts'
import { findFreePort } from '../support/centripush-process.ts'
import { createTestDatabase } from '../support/database.ts'
import { ADMIN, startPostgresCluster } from '../support/postgres-cluster.ts'
import { startRedis } from '../support/redis-instance.ts'
import { keepLines } from '../support/run-log.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const HBA = 'host all all all scram-sha-256\n'

/** Time limits that end before the file is loaded. */
const SHORT = { connect_timeout: '200ms', io_timeout: '300ms' }

/** A logger, the lines about waiting, and the first of them as an event. */
function watchWaiting() {
  const lines: { store: string; why: string }[] = []
  const logger = pino(
    { level: 'warn' },
    keepLines((line) => {
      if (line.includes('start: store not ready')) lines.push(JSON.parse(line))
    }),
  )
  const waits = (store: string) =>
    vi.waitFor(() => expect(lines.map((line) => line.store)).toContain(store), { timeout: 20_000 })
  return { logger, lines, waits }
}

test('the server starts when PostgreSQL and then Redis begin to listen', async () => {
  const database = await createTestDatabase()
  const { logger, waits } = watchWaiting()
  const redisPort = await findFreePort()
  const dsn = new URL(database.dsn)
  const proxy = await startTcpProxy(Number(dsn.port))
  dsn.port = String(proxy.port)
  await proxy.cut()
  const starting = startAssembly(
    dsn.href,
    { push_notifications: { queue: { redis: { address: `127.0.0.1:${redisPort}` } } } },
    logger,
  )
  await waits('postgresql')
  await proxy.mend()
  await waits('redis')
  const redis = await startRedis(redisPort, ['--port', `${redisPort}`])
  const server = await starting
  onTestFinished(async () => {
    await server.stop(1000)
    await proxy.cut()
    await redis.stop()
    await database.drop()
  })
  expect((await fetch(`${server.url}/health`)).status).toBe(200)
})

test('a PostgreSQL that answers "starting up" is waited for', async () => {
  // Until it is a primary, a standby without hot_standby gives the answer of a starting server to everyone.
  const primary = await startPostgresCluster({ hba: HBA })
  onTestFinished(() => primary.remove())
  const late = await startPostgresCluster({
    hba: HBA,
    standbyOf: primary,
    settings: 'hot_standby = off',
    isSilent: true,
  })
  onTestFinished(() => late.remove())
  const { logger, lines, waits } = watchWaiting()
  const dsn = `postgresql://${ADMIN.user}:${ADMIN.password}@127.0.0.1:${late.port}/postgres`
  const starting = startDatabase({ dsn, maxConnections: 1, option: 'dsn', migrates: true, waitMs: 60_000, logger })
  await waits('postgresql')
  expect(lines[0]?.why).toMatch(/not (yet )?accepting connections|starting up/)
  await late.end()
  await rm(join(late.directory, 'data', 'standby.signal'))
  await late.start()
  const sql = await starting
  await sql.end()
})

test('a Redis that is loading its file is waited for', async () => {
  const port = await findFreePort()
  const first = await startRedis(port, ['--port', `${port}`, '--appendonly', 'yes'])
  const client = new Redis({ port, host: '127.0.0.1' })
  for (let index = 0; index < 30; index++) await client.set(`key-${index}`, 'x'.repeat(3000))
  client.disconnect()
  await first.end()
  const slow = ['--key-load-delay', '100000', '--loading-process-events-interval-bytes', '1024']
  const second = await startRedis(port, ['--port', `${port}`, '--appendonly', 'yes', ...slow], first.directory)
  onTestFinished(() => second.stop())
  const { logger, lines } = watchWaiting()
  const config = parseConfig({ push_notifications: { queue: { redis: { address: `127.0.0.1:${port}`, ...SHORT } } } })
  const redis = await openRedis({ config, logger })
  expect(await redis.exists('key-29')).toBe(1)
  redis.disconnect()
  expect(lines[0]?.why).toMatch(/does not answer in time|LOADING/)
})

test('the wait ends after database.connect_timeout with the last error, and at a signal', async () => {
  const port = await findFreePort()
  const dsn = `postgresql://a:b@127.0.0.1:${port}/x`
  const { logger, lines, waits } = watchWaiting()
  const options = { dsn, maxConnections: 1, option: 'database.postgresql.dsn', migrates: true, logger }
  const refused = new RegExp(
    `database: can't be used: .*127\\.0\\.0\\.1:${port}: ECONNREFUSED.*\\(database\\.postgresql\\.dsn\\)$`,
  )
  await expect(startDatabase({ ...options, waitMs: 300 })).rejects.toThrow(refused)
  lines.length = 0
  const stopping = new AbortController()
  const starting = startDatabase({ ...options, waitMs: 600_000, signal: stopping.signal })
  const ended = expect(starting).rejects.toThrow(refused)
  await waits('postgresql')
  stopping.abort()
  await ended
})

test('a wrong password is not waited for', async () => {
  const database = await createTestDatabase()
  onTestFinished(() => database.drop())
  const { logger, lines } = watchWaiting()
  const dsn = new URL(database.dsn)
  dsn.password = 'wrong'
  const options = { dsn: dsn.href, maxConnections: 1, option: 'dsn', migrates: true, waitMs: 600_000, logger }
  await expect(startDatabase(options)).rejects.toThrow(/28P01.*correct the password in the dsn \(dsn\)/)
  expect(lines).toEqual([])
})

test('a server that never answers a request for TLS is given up after connect_timeout of the DSN', async () => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  onTestFinished(() => void silent.close())
  const address = silent.address()
  const port = typeof address === 'object' ? address?.port : 0
  const dsn = `postgresql://a:b@127.0.0.1:${port}/x?connect_timeout=1`
  const { logger } = watchWaiting()
  const options = { dsn, maxConnections: 1, option: 'dsn', migrates: true, waitMs: 0, logger }
  await expect(startDatabase(options)).rejects.toThrow(/does not answer the request for TLS: ETIMEDOUT/)
})

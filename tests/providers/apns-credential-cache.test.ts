import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openDatabase } from '../../src/database/pool.ts'
import { runTransaction } from '../../src/database/transaction.ts'
import type { CredentialCache } from '../../src/providers/credential-cache.ts'
import { PostgresCredentialCache } from '../../src/providers/credential-cache-postgres.ts'
import { RedisCredentialCache } from '../../src/providers/credential-cache-redis.ts'
import { createTestDatabase } from '../support/database.ts'
import { KillableRedis } from '../support/killable-redis.ts'

interface Backend {
  /** Opens a cache on a connection of its own, as in another process. */
  open(): CredentialCache
  close(): Promise<void>
}

async function openPostgres(): Promise<Backend> {
  const database = await createTestDatabase()
  return {
    open: () => new PostgresCredentialCache({ runTransaction: (work) => runTransaction(database.sql, work) }),
    close: () => database.drop(),
  }
}

async function openRedis(): Promise<Backend> {
  const server = await KillableRedis.start()
  const clients: Redis[] = []
  const open = () => {
    const redis = new Redis({ port: server.port, host: '127.0.0.1' })
    clients.push(redis)
    return new RedisCredentialCache({ redis, prefix: 'test.' })
  }
  const close = async () => {
    for (const client of clients) client.disconnect()
    await server.stop()
  }
  return { open, close }
}

describe.each([
  ['PostgreSQL', openPostgres],
  ['Redis', openRedis],
])('shared credentials in %s', (_name, openBackend) => {
  let backend: Backend
  beforeAll(async () => {
    backend = await openBackend()
  })
  afterAll(() => backend.close())

  it('are made once for concurrent callers', async () => {
    let made = 0
    const ask = (cache: CredentialCache) => cache.update('a', async (stored) => stored ?? `credential ${++made}`)
    const caches = Array.from({ length: 4 }, () => backend.open())
    expect(await Promise.all([...caches, ...caches].map(ask))).toEqual(Array(8).fill('credential 1'))
    expect(made).toBe(1)
  })

  it('are renewed by one caller after another, and no renewal is lost', async () => {
    const caches = Array.from({ length: 4 }, () => backend.open())
    const append = (cache: CredentialCache, text: string) => cache.update('b', async (stored = '') => stored + text)
    await Promise.all(caches.map((cache, i) => append(cache, String(i))))
    const all = await backend.open().update('b', async (stored = '') => stored)
    expect([...all].sort()).toEqual(['0', '1', '2', '3'])
  })

  it('keep their value when a renewal fails, and the next one runs at once', async () => {
    const cache = backend.open()
    await cache.update('c', async () => 'old')
    await expect(cache.update('c', () => Promise.reject(new Error('no luck')))).rejects.toThrow('no luck')
    expect(await backend.open().update('c', async (stored = '') => stored)).toBe('old')
  })

  it('with different names do not wait for each other', async () => {
    const cache = backend.open()
    const inner = cache.update('d', () => cache.update('e', async () => 'inner'))
    expect(await inner).toBe('inner')
  })
})

describe('shared credentials in Redis', () => {
  it('are not stored by a renewal that takes longer than the lock is held', async () => {
    const server = await KillableRedis.start()
    const redis = new Redis({ port: server.port, host: '127.0.0.1' })
    const cache = new RedisCredentialCache({ redis, prefix: 'test.' })
    const tooLate = cache.update('a', async () => {
      // The effect of the expiry of the lock.
      await redis.del('test.{credential:a}:lock')
      await cache.update('a', async () => 'the other’s')
      return 'mine'
    })
    await expect(tooLate).rejects.toThrow('its lock expired')
    expect(await cache.update('a', async (stored = '') => stored)).toBe('the other’s')
    redis.disconnect()
    await server.stop()
  })
})

it('a renewal that loses its connection to PostgreSQL rejects, and the next one succeeds', async () => {
  // An unhandled rejection would fail the whole run.
  const database = await createTestDatabase()
  const cache = new PostgresCredentialCache({ runTransaction: (work) => runTransaction(database.sql, work) })
  const other = openDatabase({ dsn: database.dsn, maxConnections: 1 })
  try {
    await cache.update('c', async () => 'first')
    await runTransaction(other, async (tx) => {
      await tx`select from credentials where name = 'c' for update`
      const failure = expect(cache.update('c', async () => 'lost')).rejects.toThrow()
      await vi.waitFor(async () => {
        const killed = await database.sql`
          select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock' and query like '%credentials%'`
        expect(killed).toHaveLength(1)
      })
      await failure
    })
    await vi.waitFor(async () =>
      expect(await cache.update('c', async (stored = '') => `${stored}, second`)).toBe('first, second'),
    )
  } finally {
    await other.end()
    await database.drop()
  }
})

// 200,000 devices in 40 zones, through a day: npm run check:local-time [-- --devices N]. On PostgreSQL and on Redis.
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { withDatabase } from '../../../bench/harness/with-database.ts'
import { makeLogger } from '../../../src/observability/log.ts'
import { PostgresQueue } from '../../../src/queue/postgres/postgres-queue.ts'
import { RedisQueue } from '../../../src/queue/redis/redis-queue.ts'
import { KillableRedis } from '../../support/killable-redis.ts'
import { type Audience, countWithoutZone, storeAudience, ZONES } from './audience.ts'
import { Day } from './day.ts'
import { type MovableStore, makeMovablePostgres, makeMovableRedis } from './movable-store.ts'

const HOUR_MS = 3_600_000
const WINDOW = { afterMs: 9 * HOUR_MS, beforeMs: 9.5 * HOUR_MS, sendsWithoutZone: false }
const { values } = parseArgs({ options: { devices: { type: 'string', default: '200000' } } })
const logger = makeLogger({ level: 'error', file: '' })
const OPTIONS = { logger, leaseMs: 15_000, maxJobs: 100_000 }

function check(what: string, isRight: boolean, measured: string): void {
  console.log(`${isRight ? 'right' : 'WRONG'}  ${what}: ${measured}`)
  if (!isRight) process.exitCode = 1
}

/** The memory of this process after a garbage collection. */
function readHeapMb(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed / 2 ** 20
}

async function checkDay(name: string, audience: Audience, store: MovableStore): Promise<void> {
  const day = new Day({ audience, store, logger })
  const heapMb: number[] = []
  await day.send(WINDOW)
  const waiting = await store.countWaiting()
  const expected = audience.count - countWithoutZone(audience)
  const later = expected - day.pushes.length
  check(`${name}: what waits is batches, not devices`, waiting <= later / 20, `${later} devices in ${waiting} batches`)
  await day.pass(() => heapMb.push(readHeapMb()))
  const outside = day.pushes.findOutside(audience, WINDOW)
  check(`${name}: each inside its window`, outside.length === 0, `${outside.length} of ${day.pushes.length} outside`)
  const { withZone, withoutZone } = day.pushes.countDevices(audience)
  const isEach = withZone === expected && day.pushes.length === expected
  check(`${name}: each once`, isEach, `${expected} devices, ${day.pushes.length} pushes to ${withZone + withoutZone}`)
  const [first = 0, last = 0] = [heapMb[0], heapMb.at(-1)]
  check(`${name}: memory is flat`, last - first <= 10, `${first.toFixed(0)} MB, at the end ${last.toFixed(0)} MB`)

  const before = day.pushes.length
  const send = await day.send(WINDOW)
  const atOnce = day.pushes.length - before
  const start = performance.now()
  await day.queue.cancel(send.uid)
  const cancelMs = performance.now() - start
  await day.pass()
  const isCancelled = day.pushes.length - before === atOnce && (await store.countWaiting()) === 0
  const open = expected - atOnce
  check(`${name}: one call cancels it`, isCancelled, `${open} devices not sent to, in ${cancelMs.toFixed(0)} ms`)
  await day.stop()
}

await withDatabase(logger, async ({ sql, queueSql }) => {
  const audience = await storeAudience(sql, Number(values.devices))
  console.log(`${values.devices} devices in ${ZONES.length} zones, ${countWithoutZone(audience)} of them without one`)
  const queue = new PostgresQueue({ sql: queueSql, ...OPTIONS })
  await checkDay('PostgreSQL', audience, makeMovablePostgres(sql, queue))
  await queue.close()

  const server = await KillableRedis.start()
  const connect = () => new Redis({ port: server.port, host: '127.0.0.1' })
  const redis = connect()
  const onRedis = new RedisQueue({ client: connect(), subscriber: connect(), prefix: 'day', ...OPTIONS })
  await checkDay('Redis', audience, makeMovableRedis(redis, 'day', onRedis))
  await onRedis.close()
  redis.disconnect()
  await server.stop()
})

// The targets of broadcasts are stored under separate keys, and scripts handle only the names of these keys. No targets
// may be lost, exchanged or left over.
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { BatchClaim, NewBatch } from '../../src/queue/batch.ts'
import { makeKeys } from '../../src/queue/redis/keys.ts'
import { RedisQueue } from '../../src/queue/redis/redis-queue.ts'
import { giveUpUnclaimedBatches } from '../../src/queue/redis/upkeep-scripts.ts'
import type { SendClaim } from '../../src/queue/send.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import { keepLines } from '../support/run-log.ts'
import { newLines, readLines } from './make-batch.ts'
import { makeSend } from './make-send.ts'

const NOTHING_LEFT = { retries: [], givenUp: [] }

let server: KillableRedis
let redis: Redis
let client: Redis
let queue: RedisQueue
let prefix: string
let logged: string[]

beforeEach(async () => {
  server = await KillableRedis.start()
  prefix = randomUUID()
  logged = []
  const logger = pino(
    { level: 'info' },
    keepLines((line) => logged.push(line)),
  )
  const connect = () => new Redis({ port: server.port, host: '127.0.0.1' })
  redis = connect()
  client = connect()
  queue = new RedisQueue({
    client,
    subscriber: connect(),
    prefix,
    logger,
    leaseMs: 15_000,
    maxJobs: 1000,
  })
})

afterEach(async () => {
  redis.disconnect()
  await queue.close()
  await server.stop()
})

const lineOf = (name: string) => `\t${name}\t\t`
const linesOf = (claims: readonly BatchClaim[]) => claims.flatMap(readLines)
const listTargets = () => redis.keys(`${prefix}*targets:*`)
const claimAll = () => queue.claimBatches('broadcast', ['fcm'], 10)

function batchOf(...names: string[]): NewBatch {
  return { provider: 'fcm', lane: 'broadcast', targetKind: 'token', ...newLines(names.map(lineOf)) }
}

async function startWalk(): Promise<SendClaim> {
  const send = makeSend()
  await queue.enqueue(send)
  const [walk] = await queue.claimSends('broadcast', 1)
  if (walk?.uid !== send.uid) throw new Error('the send should be due')
  return walk
}

async function commit(batches: NewBatch[]): Promise<SendClaim> {
  const walk = await startWalk()
  expect(await queue.commitPage(walk, { batches, cursor: undefined })).toBe('committed')
  return walk
}

test('targets of any bytes are claimed with their batch, and deleted when it is acknowledged', async () => {
  const names = ['a', 'ü😀', `${'x'.repeat(300_000)}"`]
  const { uid } = await commit([batchOf(...names), batchOf('b')])
  const claims = await claimAll()
  expect(linesOf(claims)).toEqual([...names, 'b'].map(lineOf))
  for (const claim of claims) expect(await queue.acknowledge(claim, NOTHING_LEFT)).toBe('acknowledged')
  expect(await listTargets()).toEqual([])
  expect(await queue.loadSend(uid)).toBeUndefined()
})

test('targets are kept with a batch that is released, claimed again or delayed', async () => {
  await commit([batchOf('a'), { ...batchOf('later'), delayMs: 1 }])
  const [first, ...others] = await claimAll()
  if (!first) throw new Error('a batch should be claimable')
  await queue.release([first, ...others])
  const again: BatchClaim[] = []
  await expect.poll(async () => again.push(...(await claimAll()))).toBe(2)
  expect(linesOf(again).sort()).toEqual([lineOf('a'), lineOf('later')])
  expect(await queue.acknowledge(first, NOTHING_LEFT)).toBe('lost')
  // The targets of waiting and claimed batches must not expire.
  expect(await Promise.all((await listTargets()).map((key) => redis.ttl(key)))).toEqual([-1, -1])
})

test('targets of a refused page are deleted at once, or expire within a minute if that fails', async () => {
  const walk = await startWalk()
  await queue.cancel(walk.uid)
  const page = { batches: [batchOf('a')], cursor: undefined }
  expect(await queue.commitPage(walk, page)).toBe('lost')
  await expect.poll(listTargets).toEqual([])
  await redis.call('ACL', 'SETUSER', 'default', '-unlink')
  expect(await queue.commitPage(walk, page)).toBe('lost')
  const [key = ''] = await listTargets()
  const ttl = await redis.ttl(key)
  expect(ttl).toBeGreaterThan(0)
  expect(ttl).toBeLessThanOrEqual(60)
})

test('a page is refused as full while Redis has no memory for its targets, even if the page itself fits', async () => {
  const walk = await startWalk()
  const page = { batches: [batchOf('a')], cursor: undefined }
  const refusal = new Error("OOM command not allowed when used memory > 'maxmemory'.")
  const refusing = vi.spyOn(client, 'set').mockRejectedValue(refusal)
  expect(await queue.commitPage(walk, page)).toBe('full')
  expect(await claimAll()).toEqual([])
  refusing.mockRestore()
  expect(await queue.commitPage(walk, page)).toBe('committed')
  expect(linesOf(await claimAll())).toEqual([lineOf('a')])
})

test('a page fails with the reason if Redis denies writing its targets', async () => {
  const walk = await startWalk()
  await redis.call('ACL', 'SETUSER', 'default', '-set')
  const page = { batches: [batchOf('a')], cursor: undefined }
  await expect(queue.commitPage(walk, page)).rejects.toThrow('NOPERM')
})

test('a batch with evicted targets ends, the log names the setting to change, and other batches are sent', async () => {
  const { uid } = await commit([batchOf('evicted')])
  await redis.del(await listTargets())
  const other = await commit([batchOf('other')])
  const claims = await claimAll()
  expect(claims.map((claim) => [claim.uid, readLines(claim)])).toEqual([[other.uid, [lineOf('other')]]])
  expect(await queue.loadSend(uid)).toBeUndefined()
  expect(logged.filter((line) => line.includes(uid) && line.includes('noeviction'))).toHaveLength(1)
})

test('the dead letter of a batch that no worker claimed contains its targets', async () => {
  await commit([batchOf('abandoned')])
  const here = { client: redis, keys: makeKeys(prefix), consumer: 'upkeep' }
  await expect.poll(() => giveUpUnclaimedBatches(here, 0).then(() => queue.listDeadLetters({}, 10))).toHaveLength(1)
  expect((await queue.listDeadLetters({}, 10)).map(readLines)).toEqual([lineOf('abandoned')])
  expect(await listTargets()).toEqual([])
})

test('batches of an earlier version, with targets in their stream entry, are sent', async () => {
  const { uid } = await commit([])
  const fields = ['u', uid, 'k', 'token', 'n', '1', 't', lineOf('old'), 'a', '0', 'm', '0', 'f', '']
  await redis.xadd(makeKeys(prefix).batches('broadcast', 'fcm'), '*', ...fields)
  const [claim] = await claimAll()
  if (!claim) throw new Error('the batch should be claimable')
  expect(readLines(claim)).toEqual([lineOf('old')])
  expect(await queue.acknowledge(claim, NOTHING_LEFT)).toBe('acknowledged')
})

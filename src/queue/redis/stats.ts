import * as v from 'valibot'
import { PROVIDER_NAMES, type ProviderName } from '../../config/provider-names.ts'
import type { QueueStats } from '../queue.ts'
import type { QueueKeys } from './keys.ts'
import type { RedisClient } from './script.ts'

const LANES = ['small', 'broadcast'] as const
const Pending = v.tupleWithRest([v.number()], v.unknown())
const Entries = v.array(v.tupleWithRest([v.string()], v.unknown()))

/** How many batches there are, retries and due sends among them. What is for later is in nobody's way. */
export async function countJobs(client: RedisClient, keys: QueueKeys): Promise<number> {
  const nowMs = await readTimeMs(client)
  const counts = await Promise.all([
    ...LANES.flatMap((lane) => PROVIDER_NAMES.map((provider) => client.xlen(keys.batches(lane, provider)))),
    client.zcard(keys.retries),
    ...LANES.map((lane) => client.zcount(keys.dueSends(lane), '-inf', nowMs)),
  ])
  return counts.reduce((sum, count) => sum + count, 0)
}

export async function readStats(
  client: RedisClient,
  keys: QueueKeys,
  group: string,
): Promise<Omit<QueueStats, 'pauses'>> {
  const nowMs = await readTimeMs(client)
  const streams = await Promise.all(
    LANES.flatMap((lane) =>
      PROVIDER_NAMES.map(async (provider) => ({
        provider,
        ...(await readStream(client, keys.batches(lane, provider), group, nowMs)),
      })),
    ),
  )
  const sum = (pick: (stream: (typeof streams)[number]) => number) =>
    new Map<ProviderName, number>(
      PROVIDER_NAMES.map((name) => [
        name,
        streams.filter(({ provider }) => provider === name).reduce((total, stream) => total + pick(stream), 0),
      ]),
    )
  return {
    waiting: sum(({ waiting }) => waiting),
    inFlight: sum(({ inFlight }) => inFlight),
    scheduled: await client.zcount(keys.scheduled, `(${nowMs}`, '+inf'),
    oldestMs: Math.max(0, ...streams.map(({ oldestMs }) => oldestMs)),
    deadLetters: await client.xlen(keys.deadLetters),
  }
}

async function readStream(client: RedisClient, stream: string, group: string, nowMs: number) {
  const [length, pending] = await Promise.all([client.xlen(stream), countPending(client, stream, group)])
  const waiting = Math.max(0, length - pending)
  if (waiting === 0) return { waiting, inFlight: pending, oldestMs: 0 }
  // What waits comes after what is pending, but for batches whose lease has ended.
  const entries = v.parse(Entries, await client.xrange(stream, '-', '+', 'COUNT', pending + 1))
  const [id = '0'] = entries.at(-1) ?? []
  return { waiting, inFlight: pending, oldestMs: Math.max(1, nowMs - Number(id.split('-')[0])) }
}

async function countPending(client: RedisClient, stream: string, group: string): Promise<number> {
  try {
    return v.parse(Pending, await client.xpending(stream, group))[0]
  } catch (error) {
    // No stream or no group yet.
    if (error instanceof Error && error.message.startsWith('NOGROUP')) return 0
    throw error
  }
}

async function readTimeMs(client: RedisClient): Promise<number> {
  const [seconds = 0, micros = 0] = await client.time()
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
}

import { hash } from 'node:crypto'
import * as v from 'valibot'
import type { RedisClient } from '../../redis/connect.ts'
import { Script } from '../../redis/script.ts'
import type { RatePolicy } from '../../sends/rate-limit.ts'
import { answerAsks, type GroupedAsks, groupAsks, hashIds, type KeyDecision } from '../key-asks.ts'
import type { Answer, Ask, RateLimiter } from '../rate-limiter.ts'
import { waitForRoom } from '../wait-for-room.ts'
import { readGrantTimes } from './read-value.ts'

interface Deps {
  /** The connection to Redis. If one of its commands fails, the call rejects, and may be repeated. */
  redis: RedisClient
  /**
   * The beginning of the names of all keys. It is also their hash tag, so that in a Cluster the keys of a call are in
   * one slot.
   */
  prefix: string
}

const TAKE_GRANTS = new Script(new URL('take-grants.lua', import.meta.url))

const Reply = v.array(v.number())
const digits = v.pipe(v.union([v.string(), v.number()]), v.transform(Number))
const Clock = v.tuple([digits, digits])

/** The rate limiter on Redis: one value for each limited key, which expires when its last grant is forgotten. */
export class RedisRateLimiter implements RateLimiter {
  readonly #redis: RedisClient
  readonly #prefix: string

  constructor(deps: Deps) {
    this.#redis = deps.redis
    this.#prefix = `{${deps.prefix}}:limit:`
  }

  async take(asks: readonly Ask[], policies: readonly RatePolicy[]): Promise<Answer[]> {
    const grouped = groupAsks(asks, policies)
    if (asks.length === 0) return []
    const keys = grouped.groups.map(({ key }) => this.#prefix + key)
    const ids = hashIds(grouped.groups, hashId).map((hashes) => hashes.join(''))
    const numbers = policies.flatMap(({ rate, intervalMs }) => [rate, intervalMs])
    const reply = await TAKE_GRANTS.run(this.#redis, keys, [policies.length, ...numbers, ...ids])
    return answerAsks(grouped, readDecisions(v.parse(Reply, reply), grouped), policies)
  }

  async readWait(key: string, policies: readonly RatePolicy[]): Promise<number> {
    const value = await this.#redis.getBuffer(this.#prefix + key)
    if (!value) return 0
    const [seconds, micros] = v.parse(Clock, await this.#redis.time())
    return waitForRoom(readGrantTimes(value), policies, seconds * 1000 + Math.floor(micros / 1000))
  }
}

/** Reads the decisions from the flat list that take-grants.lua returns. */
function readDecisions([decidedAtMs = 0, ...numbers]: number[], { groups }: GroupedAsks): KeyDecision[] {
  let at = 0
  return groups.map(({ ids }) => {
    const waitMs = numbers[at] ?? 0
    const grantedAtMs = numbers.slice(at + 1, at + 1 + ids.length)
    at += 1 + ids.length
    return { decidedAtMs, waitMs, grantedAtMs }
  })
}

/**
 * Hashes the id of an ask to 60 bits, which distinguish the asks of a key. Returns the 10 characters that
 * take-grants.lua expects.
 */
function hashId(id: string): string {
  return hash('sha256', id, 'base64').slice(0, 10)
}

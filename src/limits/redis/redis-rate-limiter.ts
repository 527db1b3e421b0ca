import { createHash, hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Cluster, Redis } from 'ioredis'
import * as v from 'valibot'
import { answerAsks, type GroupedAsks, groupAsks, hashIds, type KeyDecision } from '../key-asks.ts'
import type { Answer, Ask, RateLimiter, RatePolicy } from '../rate-limiter.ts'
import { waitForRoom } from '../wait-for-room.ts'
import { readGrantTimes } from './read-value.ts'

interface Deps {
  /** Its time-outs and retries are what calls have: a call may safely be made twice. */
  redis: Redis | Cluster
  /** Begins every key, in braces: all keys are in one slot, as one script for all of a call's keys needs it. */
  prefix: string
}

const Reply = v.array(v.number())
const digits = v.pipe(v.union([v.string(), v.number()]), v.transform(Number))
const Clock = v.tuple([digits, digits])

/** Limits in Redis, a value per key that expires with its last grant. */
export class RedisRateLimiter implements RateLimiter {
  readonly #redis: Redis | Cluster
  readonly #prefix: string
  readonly #script: string
  readonly #scriptHash: string

  constructor(deps: Deps) {
    this.#redis = deps.redis
    this.#prefix = `{${deps.prefix}}:limit:`
    this.#script = readFileSync(new URL('./take-grants.lua', import.meta.url), 'utf8')
    this.#scriptHash = createHash('sha1').update(this.#script).digest('hex')
  }

  async take(asks: readonly Ask[], policies: readonly RatePolicy[]): Promise<Answer[]> {
    const grouped = groupAsks(asks, policies)
    if (asks.length === 0) return []
    const keys = grouped.groups.map(({ key }) => this.#prefix + key)
    const ids = hashIds(grouped.groups, hashId).map((hashes) => hashes.join(''))
    const numbers = policies.flatMap(({ rate, intervalMs }) => [rate, intervalMs])
    const reply = await this.#run(keys, [policies.length, ...numbers, ...ids])
    return answerAsks(grouped, readDecisions(v.parse(Reply, reply), grouped), policies)
  }

  async readWait(key: string, policies: readonly RatePolicy[]): Promise<number> {
    const value = await this.#redis.getBuffer(this.#prefix + key)
    if (!value) return 0
    const [seconds, micros] = v.parse(Clock, await this.#redis.time())
    return waitForRoom(readGrantTimes(value), policies, seconds * 1000 + Math.floor(micros / 1000))
  }

  /** By its hash; the whole script goes over the wire only where Redis does not know it (after its restart). */
  async #run(keys: string[], args: (string | number)[]): Promise<unknown> {
    try {
      return await this.#redis.evalsha(this.#scriptHash, keys.length, ...keys, ...args)
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
      return this.#redis.eval(this.#script, keys.length, ...keys, ...args)
    }
  }
}

/** The script's flat list, as its header says. */
function readDecisions([decidedAtMs = 0, ...numbers]: number[], { groups }: GroupedAsks): KeyDecision[] {
  let at = 0
  return groups.map(({ ids }) => {
    const waitMs = numbers[at] ?? 0
    const grantedAtMs = numbers.slice(at + 1, at + 1 + ids.length)
    at += 1 + ids.length
    return { decidedAtMs, waitMs, grantedAtMs }
  })
}

/** 60 bits of a hash, so that two asks of a key are never taken for one: the 10 characters the script counts on. */
function hashId(id: string): string {
  return hash('sha256', id, 'base64').slice(0, 10)
}

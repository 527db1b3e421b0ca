import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Cluster, Redis } from 'ioredis'
import * as v from 'valibot'
import type { CredentialCache } from './credential-cache.ts'

/** A worker that dies while it renews holds the others up for this long. */
const LOCK_MS = 5_000
/** How often those who wait look whether it is their turn, and how long at most. */
const LOOK_EVERY_MS = 20
const MAX_WAIT_MS = 2 * LOCK_MS
/** What nobody asks for any more is forgotten. */
const KEEP_MS = 24 * 3_600_000

/**
 * Ends a turn, and stores what came of it; false where the turn was over already, and then it changes nothing.
 * KEYS: lock, value. ARGV: the turn's own mark; what to store, '' for nothing; for how many ms.
 */
const END_TURN = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] ~= '' then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) end
redis.call('DEL', KEYS[1])
return 1`

/** Nobody's turn came, or the turn was over before the credential was stored. */
export class CredentialLockError extends Error {
  override readonly name = 'CredentialLockError'
}

/** Credentials in Redis, where those who renew one take turns. */
export class RedisCredentialCache implements CredentialCache {
  readonly #redis: Redis | Cluster
  readonly #prefix: string

  /** `prefix`: what all keys of the server begin with. */
  constructor(deps: { redis: Redis | Cluster; prefix: string }) {
    this.#redis = deps.redis
    this.#prefix = deps.prefix
  }

  async update(name: string, renew: (stored: string | undefined) => Promise<string>): Promise<string> {
    // One hash tag for both: a script needs its keys in one slot.
    const valueKey = `${this.#prefix}{credential:${name}}`
    const lockKey = `${valueKey}:lock`
    const mark = await this.#waitForTurn(lockKey)
    const endTurn = (renewed: string) => this.#redis.eval(END_TURN, 2, lockKey, valueKey, mark, renewed, KEEP_MS)
    try {
      const stored = v.parse(v.nullable(v.string()), await this.#redis.get(valueKey)) ?? undefined
      const renewed = await renew(stored)
      const ended = await endTurn(renewed === stored ? '' : renewed)
      if (renewed !== stored && ended !== 1) throw new CredentialLockError('the turn was over before it was stored')
      return renewed
    } catch (error) {
      // The turn ends by itself where Redis can't be told.
      await endTurn('').catch(() => undefined)
      throw error
    }
  }

  async #waitForTurn(lockKey: string): Promise<string> {
    const mark = randomBytes(16).toString('base64url')
    for (let waitedMs = 0; waitedMs <= MAX_WAIT_MS; waitedMs += LOOK_EVERY_MS) {
      if ((await this.#redis.set(lockKey, mark, 'PX', LOCK_MS, 'NX')) === 'OK') return mark
      await delay(LOOK_EVERY_MS)
    }
    throw new CredentialLockError('it is still somebody else’s turn')
  }
}

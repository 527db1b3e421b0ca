import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import * as v from 'valibot'
import type { RedisClient } from '../redis/connect.ts'
import { Script } from '../redis/script.ts'
import type { CredentialCache } from './credential-cache.ts'

/** How long a lock is valid, in ms. If a worker dies while it renews a credential, the other workers wait this long. */
const LOCK_MS = 5_000
/** In ms: the interval of attempts to take the lock, and the longest time spent on them. */
const RETRY_MS = 20
const MAX_WAIT_MS = 2 * LOCK_MS
/** A credential that was not renewed for this many ms is deleted. */
const KEEP_MS = 24 * 3_600_000

const UNLOCK = new Script(new URL('unlock-credential.lua', import.meta.url))

/** The lock of a credential could not be taken, or it expired before the renewed credential was stored. */
export class CredentialLockError extends Error {
  override readonly name = 'CredentialLockError'
}

/** The credential cache in Redis. A lock for each name lets one worker at a time renew the credential. */
export class RedisCredentialCache implements CredentialCache {
  readonly #redis: RedisClient
  readonly #prefix: string

  /** @param deps.prefix the beginning of the names of all keys */
  constructor(deps: { redis: RedisClient; prefix: string }) {
    this.#redis = deps.redis
    this.#prefix = deps.prefix
  }

  async update(name: string, renew: (stored: string | undefined) => Promise<string>): Promise<string> {
    // The keys of the credential and its lock have one hash tag, so that in a Cluster one script may use both.
    const valueKey = `${this.#prefix}{credential:${name}}`
    const lockKey = `${valueKey}:lock`
    const owner = await this.#lock(lockKey)
    const unlock = (renewed: string) => UNLOCK.run(this.#redis, [lockKey, valueKey], [owner, renewed, KEEP_MS])
    try {
      const stored = v.parse(v.nullable(v.string()), await this.#redis.get(valueKey)) ?? undefined
      const renewed = await renew(stored)
      const unlocked = await unlock(renewed === stored ? '' : renewed)
      if (renewed !== stored && unlocked !== 1) {
        throw new CredentialLockError('the credential was not stored: its lock expired during the renewal')
      }
      return renewed
    } catch (error) {
      // An error is ignored: if Redis cannot be reached, the lock expires by itself.
      await unlock('').catch(() => undefined)
      throw error
    }
  }

  /**
   * Takes the lock of a credential.
   * @returns the random value that identifies the owner of the lock
   * @throws CredentialLockError if other workers hold it for too long
   */
  async #lock(lockKey: string): Promise<string> {
    const owner = randomBytes(16).toString('base64url')
    for (let waitedMs = 0; waitedMs <= MAX_WAIT_MS; waitedMs += RETRY_MS) {
      if ((await this.#redis.set(lockKey, owner, 'PX', LOCK_MS, 'NX')) === 'OK') return owner
      await delay(RETRY_MS)
    }
    throw new CredentialLockError(`the credential's lock is still held after ${MAX_WAIT_MS / 1000} s`)
  }
}

import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import * as v from 'valibot'
import type { RedisClient } from '../redis/connect.ts'
import { Script } from '../redis/script.ts'
import type { CredentialCache } from './credential-cache.ts'

/** How long a lock is valid. A worker that dies while it renews a credential delays the others by this. */
const LOCK_MS = 5_000
/** The interval of attempts to take the lock, and the longest time of them. */
const RETRY_MS = 20
const MAX_WAIT_MS = 2 * LOCK_MS
/** A credential is deleted when it was not renewed for this long. */
const KEEP_MS = 24 * 3_600_000

const UNLOCK = new Script(new URL('unlock-credential.lua', import.meta.url))

/** The lock could not be taken, or it expired before the renewed credential was stored. */
export class CredentialLockError extends Error {
  override readonly name = 'CredentialLockError'
}

/** Credentials in Redis. A lock for each name lets one worker at a time renew it. */
export class RedisCredentialCache implements CredentialCache {
  readonly #redis: RedisClient
  readonly #prefix: string

  /** @param deps.prefix the beginning of all keys */
  constructor(deps: { redis: RedisClient; prefix: string }) {
    this.#redis = deps.redis
    this.#prefix = deps.prefix
  }

  async update(name: string, renew: (stored: string | undefined) => Promise<string>): Promise<string> {
    // Both have one hash tag: the keys of a script have to be in one slot of a Cluster.
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
      // When Redis can't be reached, the lock expires.
      await unlock('').catch(() => undefined)
      throw error
    }
  }

  /**
   * Takes the lock.
   * @returns the value that identifies its owner
   * @throws CredentialLockError when others hold it for too long
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

import { hash } from 'node:crypto'
import { ANSWER_TIMEOUT_MS, answerWithin } from '../../database/answer-deadline.ts'
import type { Sql } from '../../database/pool.ts'
import type { RatePolicy } from '../../sends/rate-limit.ts'
import { answerAsks, groupAsks, hashIds } from '../key-asks.ts'
import type { Answer, Ask, RateLimiter } from '../rate-limiter.ts'
import { waitForRoom } from '../wait-for-room.ts'
import { selectGrants } from './select-grants.ts'
import { takeGrants } from './take-statement.ts'

/**
 * The rate limiter on PostgreSQL, in the table rate_limits. The task of makeGrantUpkeep() has to run, to delete old
 * rows.
 */
export class PostgresRateLimiter implements RateLimiter {
  readonly #sql: Sql

  constructor(deps: { sql: Sql }) {
    this.#sql = deps.sql
  }

  async take(asks: readonly Ask[], policies: readonly RatePolicy[]): Promise<Answer[]> {
    const grouped = groupAsks(asks, policies)
    if (asks.length === 0) return []
    const hashes = hashIds(grouped.groups, hashId)
    const keys = grouped.groups.map(({ key }, group) => ({ key, hashes: hashes[group] ?? [] }))
    const decisions = await answerWithin(takeGrants(this.#sql, keys, policies), ANSWER_TIMEOUT_MS)
    return answerAsks(grouped, decisions, policies)
  }

  async readWait(key: string, policies: readonly RatePolicy[]): Promise<number> {
    const held = await answerWithin(selectGrants(this.#sql, key), ANSWER_TIMEOUT_MS)
    return held ? waitForRoom(held.times, policies, held.nowMs) : 0
  }
}

/**
 * Hashes the id of an ask to 60 bits, which distinguish the asks of a key. Bit 60 is set as well, so that a hash is
 * larger than any time and the two can be told apart in a list.
 */
function hashId(id: string): string {
  return BigInt(`0x1${hash('sha256', id, 'hex').slice(0, 15)}`).toString()
}

// RateLimiter.take() as one SQL statement: its parameters are all keys of the call, its result the decisions about
// them.
import * as v from 'valibot'
import { commitAsynchronously } from '../../database/asynchronous-commit.ts'
import type { Sql } from '../../database/pool.ts'
import type { RatePolicy } from '../../sends/rate-limit.ts'
import type { KeyDecision } from '../key-asks.ts'
import { atLeastRecent, readClock, upsertGrants } from './grants-upsert.ts'

/** One key of a call, and the hashes of its asks' ids: at least one. */
export interface KeyHashes {
  key: string
  /** The hashes of the asks' ids as decimal text. Each is from 2^60 to 2^61, so it is larger than any time. */
  hashes: readonly string[]
}

/**
 * The result: the time of the call, the number of decided keys, and the decisions about keys other than the usual one
 * (see `readExceptions`).
 */
const Reply = v.tuple([v.tuple([v.number(), v.number(), v.pipe(v.string(), v.parseJson(), v.array(v.number()))])])

/**
 * Decides about each key. Resolves to the decisions in the order of the keys; no key may be given twice. The commit
 * does not wait for the disk, which would double its time: if PostgreSQL crashes, it loses the grants of at most its
 * last half second.
 */
export async function takeGrants(
  sql: Sql,
  asks: readonly KeyHashes[],
  policies: readonly RatePolicy[],
): Promise<KeyDecision[]> {
  const call = writeCall(asks)
  const rows = await sql`
    with call as materialized (
      select ${call.hashes}::text::bigint[] as hashes, ${call.ends}::text::int[] as ends, ${readClock(sql)} as now,
        ${commitAsynchronously(sql)}
    ), given as (
      select key, hashes[coalesce(ends[place - 1], place - 1) + 1:coalesce(ends[place], place)] as asked, place,
        ${atLeastRecent(sql, sql`now`)} as now
      from call, unnest(${call.keys}::text::text[]) with ordinality as given (key, place)
    ), decided as (
      ${upsertGrants(sql, policies)}
    )
    select (select now::float8 from call), count(*)::int, '[' || coalesce(string_agg(exception, ','), '') || ']'
    from decided`.values()
  const [[nowMs, count, exceptions]] = v.parse(Reply, rows)
  if (count !== asks.length) throw new Error(`the statement decided about ${count} of ${asks.length} keys`)
  // The decision about all keys that are no exception: their only ask was granted at the time of the call.
  const granted: KeyDecision = { decidedAtMs: nowMs, waitMs: 0, grantedAtMs: [nowMs] }
  const decisions = asks.map(() => granted)
  for (const { place, decision } of readExceptions(exceptions, call.inOrder)) decisions[place] = decision
  return decisions
}

/**
 * Writes the parameters of the statement: the keys, in the order in which every call locks their rows, so that calls
 * never deadlock; the hashes of all keys in one list; and `ends`, the end of each key's hashes in that list. The arrays
 * are written as text here, because the driver inspects each element.
 */
function writeCall(asks: readonly KeyHashes[]) {
  const inOrder = asks
    .map(({ key, hashes }, place) => ({ key, hashes, place }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
  let end = 0
  const ends = inOrder.map(({ hashes }) => (end += hashes.length))
  return {
    inOrder,
    keys: `{${inOrder.map(({ key }) => `"${key.replace(/["\\]/g, '\\$&')}"`).join()}}`,
    hashes: `{${inOrder.flatMap(({ hashes }) => hashes).join()}}`,
    // `ends` is left empty if each key has one hash.
    ends: end === asks.length ? '{}' : `{${ends.join()}}`,
  }
}

/**
 * Reads the exceptions: decisions that are not the usual one (one ask, granted at the time of the call). Each is a list
 * of numbers: place of the key in the call, time of decision, next grant, grants.
 */
function* readExceptions(
  numbers: readonly number[],
  inOrder: readonly { hashes: readonly string[]; place: number }[],
): Generator<{ place: number; decision: KeyDecision }> {
  for (let at = 0; at < numbers.length; ) {
    const [ordinal = 0, decidedAtMs = 0, nextAtMs = 0] = numbers.slice(at, at + 3)
    const asked = inOrder[ordinal - 1]
    if (!asked) throw new Error('the statement returned a key that is not in the call')
    const granted = at + 3
    at = granted + asked.hashes.length
    const grantedAtMs = numbers.slice(granted, at)
    yield { place: asked.place, decision: { decidedAtMs, waitMs: nextAtMs - decidedAtMs, grantedAtMs } }
  }
}

// A call as one statement: all of its keys go in, and what was decided comes back.
import * as v from 'valibot'
import { commitAsynchronously } from '../../database/asynchronous-commit.ts'
import type { Sql } from '../../database/pool.ts'
import type { RatePolicy } from '../../sends/rate-limit.ts'
import type { KeyDecision } from '../key-asks.ts'
import { atLeastRecent, readClock, upsertGrants } from './grants-upsert.ts'

/** One key, and the hashes of its asks, at least one. */
export interface KeyHashes {
  key: string
  /** In decimal, each from 2^60 to 2^61: above any time. */
  hashes: readonly string[]
}

/** When the call was looked at, how many keys were decided about, and the exceptions as `readExceptions` reads them. */
const Reply = v.tuple([v.tuple([v.number(), v.number(), v.pipe(v.string(), v.parseJson(), v.array(v.number()))])])

/**
 * Decides about each key; resolves to the decisions in their order. Each key may be given once. The disk is not waited for,
 * which takes as long as all the rest: a crash of the server forgets the grants of its last half second at most.
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
  if (count !== asks.length) throw new Error(`${count} of ${asks.length} limited keys were decided about`)
  // What most keys are told: their only ask is granted.
  const granted: KeyDecision = { decidedAtMs: nowMs, waitMs: 0, grantedAtMs: [nowMs] }
  const decisions = asks.map(() => granted)
  for (const { place, decision } of readExceptions(exceptions, call.inOrder)) decisions[place] = decision
  return decisions
}

/**
 * The keys in the one order in which every call locks their rows, and all hashes in one list, of which a key has those
 * after the one before it until its end. Lists are written here: the library would look at each element.
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
    // Without ends each key has one.
    ends: end === asks.length ? '{}' : `{${ends.join()}}`,
  }
}

/** Of each exception `place in the order of the call, decided, next, granted…` */
function* readExceptions(
  numbers: readonly number[],
  inOrder: readonly { hashes: readonly string[]; place: number }[],
): Generator<{ place: number; decision: KeyDecision }> {
  for (let at = 0; at < numbers.length; ) {
    const [ordinal = 0, decidedAtMs = 0, nextAtMs = 0] = numbers.slice(at, at + 3)
    const asked = inOrder[ordinal - 1]
    if (!asked) throw new Error('a decision about a key that was not asked for')
    const granted = at + 3
    at = granted + asked.hashes.length
    const grantedAtMs = numbers.slice(granted, at)
    yield { place: asked.place, decision: { decidedAtMs, waitMs: nextAtMs - decidedAtMs, grantedAtMs } }
  }
}

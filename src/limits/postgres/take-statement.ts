// The statement that grants: an upsert per key, in one statement for all keys of a call.
//
// An upsert waits for the row's lock and then sees the row as it is, whoever wrote it, so its assignment may read the
// grants, decide and write in one step. Binary search does the counting (width_bucket), so that a key with a thousand
// grants costs little more than one with three.
import * as v from 'valibot'
import type { Fragment, Sql } from '../../database/pool.ts'
import type { KeyDecision } from '../key-asks.ts'
import type { RatePolicy } from '../rate-limiter.ts'

/** One key, and the hashes of its asks as PostgreSQL writes an array of `count`. */
export interface KeyHashes {
  key: string
  hashes: string
  count: number
}

/** For each key `place, decided, next, granted…` in one JSON list: one long value is read faster than many rows. */
const Reply = v.tuple([v.tuple([v.pipe(v.string(), v.parseJson(), v.array(v.number()))])])

/** Decides about each key; resolves to the decisions in their order. Each key may be given once. */
export async function takeGrants(
  sql: Sql,
  asks: readonly KeyHashes[],
  policies: readonly RatePolicy[],
): Promise<KeyDecision[]> {
  const rows = await sql`
    with given as materialized (
      select key, hashes::bigint[] as asked, place
      from unnest(${asks.map(({ key }) => key)}::text[], ${asks.map(({ hashes }) => hashes)}::text[])
        with ordinality as given (key, hashes, place)
    ), decided as (
      ${decide(sql, policies)}
    )
    select '[' || string_agg(concat_ws(',', place, decided_at, next_at, granted_at), ',') || ']'
    from decided join given using (key)`.values()
  const [[numbers]] = v.parse(Reply, rows)
  return readDecisions(numbers, asks)
}

function readDecisions(numbers: readonly number[], asks: readonly KeyHashes[]): KeyDecision[] {
  const decisions: KeyDecision[] = new Array(asks.length)
  for (let at = 0; at < numbers.length; ) {
    const [place = 0, decidedAtMs = 0, nextAtMs = 0] = numbers.slice(at, at + 3)
    const granted = at + 3
    at = granted + (asks[place - 1]?.count ?? 0)
    decisions[place - 1] = { decidedAtMs, waitMs: nextAtMs - decidedAtMs, grantedAtMs: numbers.slice(granted, at) }
  }
  return decisions
}

function decide(sql: Sql, policies: readonly RatePolicy[]): Fragment {
  const keepCount = Math.max(...policies.map(({ rate }) => rate))
  const keepMs = Math.max(...policies.map(({ intervalMs }) => intervalMs))
  // A key that was never asked for has room for this many.
  const fewest = Math.min(...policies.map(({ rate }) => rate))
  return sql`
    insert into rate_limits as l (key, times, ids, asked, decided_at, keep_count, keep_ms)
    select key, array_fill(now, array[least(cardinality(asked), ${fewest}::int)]), asked[1:${fewest}::int], asked,
      now, ${keepCount}, ${keepMs}
    from (
      select key, asked, ${readClock(sql)} as now from given, (select ${forgoWaiting(sql)} offset 0) as setting
      order by key collate "C"
    ) as each
    on conflict (key) do update set (times, ids, asked, decided_at, keep_count, keep_ms) = (
      select held.times || array_fill(now, array[cardinality(fresh.ids)]), held.ids || fresh.ids, excluded.asked, now,
        case when held.times = '{}' then excluded.keep_count else greatest(l.keep_count, excluded.keep_count) end,
        case when held.times = '{}' then excluded.keep_ms else greatest(l.keep_ms, excluded.keep_ms) end
      from ${heldGrants(sql)}
      cross join lateral (select ${countRoom(sql, policies)} as room offset 0) as policies
      cross join lateral (
        select case
          when room <= 0 then '{}'
          when cardinality(excluded.asked) = 1
            then case when excluded.asked[1] = any(held.ids) then '{}' else excluded.asked end
          else array(select id from unnest(excluded.asked) with ordinality as asked (id, place)
            where id <> all(held.ids) order by place limit room)
        end as ids
        offset 0
      ) as fresh
    )
    returning key, decided_at, coalesce(${nextGrantAt(sql, policies)}, decided_at) as next_at,
      case when cardinality(asked) = 1 then coalesce(times[array_position(ids, asked[1])], 0)::text
      else array_to_string(array(select coalesce(times[array_position(ids, id)], 0)
        from unnest(asked) with ordinality as a (id, place) order by place), ',') end as granted_at`
}

/** The key's grants that are not forgotten, none of them in the future. */
function heldGrants(sql: Sql): Fragment {
  // "offset 0" keeps the planner from writing an expression out wherever its result is used.
  return sql`(
      select ${readClock(sql)} as now offset 0
    ) as clock
    cross join lateral (
      select case when l.times[cardinality(l.times)] > now
        then array(select least(time, now) from unnest(l.times) as time) else l.times end as times
      offset 0
    ) as past
    cross join lateral (
      select 1 + greatest(width_bucket(now - l.keep_ms, past.times), cardinality(past.times) - l.keep_count) as first
      offset 0
    ) as kept
    cross join lateral (select past.times[first:] as times, l.ids[first:] as ids offset 0) as held`
}

/** Unix ms. Looked at row by row, after the row's lock: never before a grant that another call has made meanwhile. */
function readClock(sql: Sql): Fragment {
  return sql`floor(date_part('epoch', clock_timestamp()) * 1000)::bigint`
}

/**
 * The commit is not waited for until it is on disk, which takes as long as all the rest. A crash of the server forgets
 * the grants of its last half second at most; who wants none forgotten would pay that with each batch.
 */
function forgoWaiting(sql: Sql): Fragment {
  return sql`set_config('synchronous_commit', 'off', true)`
}

/** How many more grants all policies allow: times up to `now - interval` are outside of a window that ends now. */
function countRoom(sql: Sql, policies: readonly RatePolicy[]): Fragment {
  const rooms = policies.map(
    ({ rate, intervalMs }) =>
      sql`${rate}::int - cardinality(held.times) + width_bucket(now - ${intervalMs}::bigint, held.times)`,
  )
  return sql`least(${joined(sql, rooms)})`
}

/** When the key's next grant is possible: as soon as the `rate`th last one has left the window of each policy. */
function nextGrantAt(sql: Sql, policies: readonly RatePolicy[]): Fragment {
  const times = policies.map(
    ({ rate, intervalMs }) => sql`times[cardinality(times) + 1 - ${rate}::int] + ${intervalMs}::bigint`,
  )
  return sql`greatest(${joined(sql, times)})`
}

function joined(sql: Sql, terms: readonly Fragment[]): Fragment {
  return terms.reduce((list, term) => sql`${list}, ${term}`)
}

// The upsert that takes grants. For each row of `given (key, asked, place, now)` it decides about a key, stores the new
// grants, and returns the decision. `now` is the time at which the row is read: nearly always that of the call, `call
// (now)`, but later if the upsert had to wait for the lock of a row before it.
//
// An upsert waits for the lock of its row and then sees the row's latest version, so its assignment can read the
// grants, decide and write in one step. A row always has at least one grant.
//
// Nearly every key has one ask, no concurrent call, and room for a grant. This case is decided with a few comparisons
// of the grants that count. All other cases take the general path (decideAnew), which would give the same answers.
import type { Fragment, Sql } from '../../database/pool.ts'
import type { RatePolicy } from '../../sends/rate-limit.ts'

/**
 * A grant may be dated up to this many ms before the decision about it, so that all grants of one call can have the
 * same time.
 */
const DATED_EARLIER_MS = 100
/**
 * A row may keep this many forgotten grants. Only the general path (decideAnew) removes them, and it is not taken to
 * remove fewer.
 */
const FORGOTTEN_KEPT = 8

/**
 * The upsert. It returns the column `exception`: null if the key has one ask and it was granted at the time of the
 * call, otherwise a list of numbers: the place of the key, the time of the decision, the time of the next possible
 * grant (used only if an ask was refused), and for each ask the time of its grant, 0 if it was not granted. All times
 * are Unix ms of PostgreSQL's clock.
 */
export function upsertGrants(sql: Sql, policies: readonly RatePolicy[]): Fragment {
  const keepCount = Math.max(...policies.map(({ rate }) => rate))
  const keepMs = Math.max(...policies.map(({ intervalMs }) => intervalMs))
  const lastAt = sql`l.grants[cardinality(l.grants) - 1]`
  const isForgotten = sql`${lastAt} + l.keep_ms <= excluded.decided_at`
  const isRecent = sql`excluded.decided_at >= ${earliestDate(sql)}`
  return sql`
    insert into rate_limits as l (key, grants, asked, place, decided_at, keep_count, keep_ms)
    select key, ${grantsOfNewKey(sql, policies)}, asked, place, now, ${keepCount}, ${keepMs}
    from given
    on conflict (key) do update set
      grants = case
        when ${isForgotten} and ${isRecent} then excluded.grants
        when cardinality(excluded.asked) = 1
          and ${lastAt} <= excluded.decided_at
          and ${isRecent}
          and l.keep_count >= excluded.keep_count and l.keep_ms >= excluded.keep_ms
          and ${hasFewForgotten(sql)}
          and array_position(l.grants, excluded.asked[1]) is null
          and coalesce(${nextGrantAt(sql, sql`l.grants`, policies)} <= excluded.decided_at, true)
          then l.grants || excluded.grants
        else ${decideAnew(sql, lastAt, policies)}
      end,
      asked = excluded.asked,
      place = excluded.place,
      decided_at = excluded.decided_at,
      keep_count = case
        when ${isForgotten} then excluded.keep_count else greatest(l.keep_count, excluded.keep_count)
      end,
      keep_ms = case when ${isForgotten} then excluded.keep_ms else greatest(l.keep_ms, excluded.keep_ms) end
    returning case
      when cardinality(asked) > 1 or decided_at <> (select now from call)
        or grants[cardinality(grants)] <> asked[1] or grants[cardinality(grants) - 1] <> decided_at
      then ${describeDecision(sql, policies)}
    end as exception`
}

/** The time of PostgreSQL's clock in Unix ms, as an SQL expression. */
export function readClock(sql: Sql): Fragment {
  return sql`floor(date_part('epoch', clock_timestamp()) * 1000)::bigint`
}

/** The later of `time` and the earliest time that a grant may be dated if it is decided now. */
export function atLeastRecent(sql: Sql, time: Fragment): Fragment {
  return sql`greatest(${time}, ${earliestDate(sql)})`
}

/** The earliest time that a grant may be dated if it is decided now. */
function earliestDate(sql: Sql): Fragment {
  return sql`${readClock(sql)} - ${DATED_EARLIER_MS}::bigint`
}

/** The grants of a key that has no row yet: one for each ask, up to the `rate` of the narrowest policy. */
function grantsOfNewKey(sql: Sql, policies: readonly RatePolicy[]): Fragment {
  const fewest = Math.min(...policies.map(({ rate }) => rate))
  return sql`case when cardinality(asked) = 1 then array[now, asked[1]] else array(
      select number from ${listGrants(sql, sql`now`, sql`asked[1:${fewest}::int]`)}
    ) end`
}

/** Grants of one time as a list of numbers: for each id its time, then the id. */
function listGrants(sql: Sql, at: Fragment, ids: Fragment): Fragment {
  return sql`(
      select number from unnest(${ids}) with ordinality as granted (id, place),
        unnest(array[${at}, id]) with ordinality as pair (number, half)
      order by place, half
    ) as pairs`
}

/** Whether a row has so few forgotten grants that they need not be removed. */
function hasFewForgotten(sql: Sql): Fragment {
  const few = 2 * FORGOTTEN_KEPT
  return sql`(cardinality(l.grants) <= ${few}::int or
            cardinality(l.grants) <= 2 * l.keep_count + ${few}::int
            and l.grants[cardinality(l.grants) / 4 * 2 - 1] + l.keep_ms > excluded.decided_at)`
}

/**
 * The earliest time at which all policies allow one more grant for a key: for each policy, the `rate`th last grant must
 * be older than `intervalMs`.
 */
function nextGrantAt(sql: Sql, grants: Fragment, policies: readonly RatePolicy[]): Fragment {
  const times = policies.map(
    ({ rate, intervalMs }) => sql`${grants}[cardinality(${grants}) + 1 - ${2 * rate}::int] + ${intervalMs}::bigint`,
  )
  return sql`greatest(${joined(sql, times)})`
}

/**
 * The general path: decides about any number of asks of a key, and returns the new grants of its row. If a concurrent
 * call has granted at a later time, the grants of this call get that time. If the clock was set back, grants in its
 * future count as granted now.
 */
function decideAnew(sql: Sql, lastAt: Fragment, policies: readonly RatePolicy[]): Fragment {
  // "offset 0" keeps the planner from repeating an expression at each use of its result.
  return sql`(
      select held.grants || array(select number from ${listGrants(sql, sql`now`, sql`fresh.ids`)})
      from (
        select greatest(
          ${atLeastRecent(sql, sql`excluded.decided_at`)}, least(${lastAt}, ${readClock(sql)})
        ) as now offset 0
      ) as clock
      cross join lateral (
        select
          array(
            select least(l.grants[2 * n - 1], now) from generate_series(1, cardinality(l.grants) / 2) as n order by n
          ) as times,
          array(select l.grants[2 * n] from generate_series(1, cardinality(l.grants) / 2) as n order by n) as ids
        offset 0
      ) as past
      cross join lateral (
        select 1 + greatest(width_bucket(now - l.keep_ms, past.times), cardinality(past.times) - l.keep_count) as first
        offset 0
      ) as kept
      cross join lateral (
        select past.times[first:] as times, past.ids[first:] as ids, array(
          select number
          from unnest(past.times[first:], past.ids[first:]) with ordinality as grants (time, id, place),
            unnest(array[time, id]) with ordinality as pair (number, half)
          order by place, half
        ) as grants
        offset 0
      ) as held
      cross join lateral (
        select array(
          select id from unnest(excluded.asked) with ordinality as asked (id, place)
          where id <> all(held.ids) order by place limit greatest(0, ${countRoom(sql, policies)})
        ) as ids
        offset 0
      ) as fresh
    )`
}

/**
 * The number of further grants that all policies allow. A window that ends now contains grants later than `now -
 * interval`.
 */
function countRoom(sql: Sql, policies: readonly RatePolicy[]): Fragment {
  const rooms = policies.map(
    ({ rate, intervalMs }) =>
      sql`${rate}::int - cardinality(held.times) + width_bucket(now - ${intervalMs}::bigint, held.times)`,
  )
  return sql`least(${joined(sql, rooms)})`
}

function describeDecision(sql: Sql, policies: readonly RatePolicy[]): Fragment {
  const decidedAt = sql`greatest(decided_at, grants[cardinality(grants) - 1])`
  return sql`concat_ws(',', place, ${decidedAt}, coalesce(${nextGrantAt(sql, sql`grants`, policies)}, ${decidedAt}),
        array_to_string(array(
          select coalesce(grants[array_position(grants, id) - 1], 0)
          from unnest(asked) with ordinality as asks (id, place) order by place
        ), ','))`
}

function joined(sql: Sql, terms: readonly Fragment[]): Fragment {
  return terms.reduce((list, term) => sql`${list}, ${term}`)
}

// The SQL of reports. The report of a send is in its row of push_sends, and in push_reports when that row was deleted.
import * as v from 'valibot'
import type { Fragment, Sql } from '../../database/pool.ts'
import { MAX_EXAMINED_REPORTS } from '../limits.ts'
import {
  REPORT_STATES,
  ReportCursorError,
  type ReportFilter,
  type ReportPage,
  type SendReport,
  type StatusCount,
} from '../report.ts'
import { decodeCount, decodeSubject } from '../stored-report.ts'
import { CANCELLED, DONE, WAITING } from './states.ts'

const digits = v.pipe(v.string(), v.transform(Number))
const maybeTime = v.nullable(v.date())
const Report = v.object({
  uid: v.string(),
  analytics_uid: v.string(),
  report_state: v.picklist(REPORT_STATES),
  subject: v.nullable(v.string()),
  accepted_at: v.date(),
  send_at: maybeTime,
  expire_at: maybeTime,
  first_at: maybeTime,
  last_at: maybeTime,
  ended_at: maybeTime,
  counts: v.record(v.string(), v.number()),
  delivered: digits,
  interacted: digits,
})
const ListedReport = v.object({ ...Report.entries, position: v.string(), place: digits })

/** Loads the report of a send; undefined if it is unknown. */
export async function selectReport(sql: Sql, uid: string): Promise<SendReport | undefined> {
  const [row] = await sql`
    select ${columns(sql)}
    from (
      select 0 as place, ${stored(sql)} from push_sends where uid = ${uid} and request_hash is not null
      union all
      select 1, ${stored(sql)} from push_reports where uid = ${uid}
    ) as r
    order by place limit 1`
  return row && readReport(v.parse(Report, row))
}

/** Lists reports, see Queue.listReports(). @throws ReportCursorError */
export async function selectReports(
  sql: Sql,
  filter: ReportFilter,
  limit: number,
  cursor: string | undefined,
): Promise<ReportPage> {
  const examined = filter.states || filter.uidPrefix ? MAX_EXAMINED_REPORTS : limit + 1
  const source = (table: Fragment, condition: Fragment) => sql`
    select ${stored(sql)} from ${table}
    where ${condition} and ${isInTime(sql, filter)} and ${isAfter(sql, cursor)}
    order by accepted_at desc, uid desc limit ${examined}`
  const rows = await sql`
    with examined as (
      select ${columns(sql)}, row_number() over (order by accepted_at desc, uid desc) as place,
        (extract(epoch from accepted_at) * 1000000)::bigint || ' ' || uid as position
      from (
        (${source(sql`push_sends`, sql`request_hash is not null`)})
        union all
        (${source(sql`push_reports`, sql`true`)})
      ) as r
      order by accepted_at desc, uid desc limit ${examined}
    )
    select * from examined where ${matches(sql, filter)} or place = ${examined}
    order by place limit ${limit + 1}`
  const found = rows.map((row) => v.parse(ListedReport, row))
  const isMatch = makeMatch(filter)
  const reports = found.filter(isMatch).slice(0, limit)
  // The last row is behind the page, or the last one that was examined.
  const last = found.length > limit ? found[limit - 1] : found.at(-1)
  const hasMore = found.length > limit || last?.place === examined
  return { reports: reports.map(readReport), nextCursor: hasMore ? last?.position : undefined }
}

/** Adds apps' reports to the reports of sends. */
export async function addStatuses(sql: Sql, counts: readonly StatusCount[]): Promise<void> {
  await sql`
    with given as materialized (
      select * from unnest(
        ${counts.map(({ uid }) => uid)}::text[], ${counts.map(({ delivered }) => delivered)}::bigint[],
        ${counts.map(({ interacted }) => interacted)}::bigint[]
      ) as g (uid, delivered, interacted)
    ), locked as materialized (
      select uid from push_sends where uid in (select uid from given) and request_hash is not null
      order by uid for update
    ), kept as (
      update push_sends as s set delivered = s.delivered + g.delivered, interacted = s.interacted + g.interacted
      from given g join locked using (uid)
      where s.uid = g.uid
    )
    update push_reports as r set delivered = r.delivered + g.delivered, interacted = r.interacted + g.interacted
    from given g
    where r.uid = g.uid and not exists (select from locked l where l.uid = g.uid)`
}

/** The columns that push_sends and push_reports have in common. */
function stored(sql: Sql): Fragment {
  return sql`
    uid, state, accepted_at, send_at, expire_at, analytics_uid, subject, counts, delivered, interacted,
    first_at, last_at, ended_at`
}

/** The columns of a report from a row `r` of the columns of stored(). */
function columns(sql: Sql): Fragment {
  return sql`
    r.uid, coalesce(r.analytics_uid, r.uid) as analytics_uid, r.subject, r.accepted_at, r.send_at, r.expire_at,
    r.counts, r.delivered, r.interacted, r.first_at, r.last_at, r.ended_at,
    case
      when r.state = ${CANCELLED} then 'cancelled'
      when r.state = ${DONE} then 'ended'
      when r.state = ${WAITING} and r.send_at > clock_timestamp() then 'scheduled'
      else 'active'
    end as report_state`
}

function isInTime(sql: Sql, { acceptedFromMs, acceptedToMs }: ReportFilter): Fragment {
  const from = acceptedFromMs === undefined ? sql`true` : sql`accepted_at >= ${new Date(acceptedFromMs)}`
  const to = acceptedToMs === undefined ? sql`true` : sql`accepted_at < ${new Date(acceptedToMs)}`
  return sql`${from} and ${to}`
}

/** Whether a report is listed after the one at a position, which is its time in microseconds and its uid. */
function isAfter(sql: Sql, cursor: string | undefined): Fragment {
  if (cursor === undefined) return sql`true`
  const [, micros, uid] = /^(\d{1,17}) (.*)$/s.exec(cursor) ?? []
  if (micros === undefined || uid === undefined) throw new ReportCursorError('not a cursor of reports')
  return sql`(accepted_at, uid) < (to_timestamp(0) + ${micros}::bigint * interval '1 microsecond', ${uid})`
}

function matches(sql: Sql, { states, uidPrefix }: ReportFilter): Fragment {
  const byState = states ? sql`report_state = any(${[...states]})` : sql`true`
  const byUid = uidPrefix ? sql`starts_with(uid, ${uidPrefix})` : sql`true`
  return sql`${byState} and ${byUid}`
}

function makeMatch({ states, uidPrefix = '' }: ReportFilter) {
  return ({ report_state, uid }: v.InferOutput<typeof ListedReport>) =>
    (states === undefined || states.includes(report_state)) && uid.startsWith(uidPrefix)
}

function readReport(row: v.InferOutput<typeof Report>): SendReport {
  return {
    uid: row.uid,
    analyticsUid: row.analytics_uid,
    state: row.report_state,
    subject: row.subject === null ? undefined : decodeSubject(row.subject),
    acceptedAtMs: row.accepted_at.getTime(),
    sendAtMs: row.send_at?.getTime(),
    expireAtMs: row.expire_at?.getTime(),
    firstAtMs: row.first_at?.getTime(),
    lastAtMs: row.last_at?.getTime(),
    endedAtMs: row.ended_at?.getTime(),
    counts: Object.entries(row.counts).flatMap(([name, count]) => decodeCount(name, count) ?? []),
    delivered: row.delivered,
    interacted: row.interacted,
  }
}

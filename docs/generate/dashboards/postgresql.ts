// The dashboard of analytics in PostgreSQL. notification_counts has all events by minute; notifications has the rows of
// failures and small sends (postgresql_analytics.rows), push_sends and push_reports have the exact reports of sends.
import type { DashboardPlan, Panel, Query } from './dashboard.ts'
import { chart, table } from './sql-panels.ts'

const T = '$__timeGroupAlias(minute, $__interval)'
const IN_TIME = '$__timeFilter(minute)'
const OF_SEND = `(\${uid:sqlstring} = '' or uid = \${uid:sqlstring})`

function number(title: string, unit: string, expression: string): Panel {
  const text = `select ${expression} as value from notification_counts where ${IN_TIME}`
  return { title, kind: 'stat', unit, queries: [{ text }], width: 4 }
}

/** The counts over time by a column. */
function over(column: string, where: string): string {
  return `select ${T}, ${column} as metric, sum(count) as pushes from notification_counts
where ${IN_TIME} and ${where} group by 1, 2 order by 1`
}

/** The number of events with a status. */
function countOf(status: string): string {
  return `coalesce(sum(count) filter (where status = '${status}'), 0)`
}

/** The counts of a report with one word; their names are "provider word reason". */
function reported(word: string): string {
  const counts = 'select coalesce(sum(value::bigint), 0) from jsonb_each_text(counts)'
  return `(${counts} where split_part(key, ' ', 2) = '${word}')`
}

const SENT = countOf('sent')

/** The dashboard of analytics in PostgreSQL. */
export const POSTGRESQL_DASHBOARD: DashboardPlan = {
  uid: 'centripush-postgresql',
  title: 'centripush pushes (PostgreSQL)',
  description: 'What became of pushes, from the tables of analytics in PostgreSQL and the reports of sends.',
  source: 'grafana-postgresql-datasource',
  variables: [
    { name: 'uid', label: 'uid of a send' },
    { name: 'device', label: 'Device or user' },
  ],
  makeTarget: ({ text }: Query, kind) => ({
    rawSql: text,
    rawQuery: true,
    editorMode: 'code',
    format: kind === 'timeseries' ? 'time_series' : 'table',
  }),
  sections: [
    {
      title: 'Funnel',
      panels: [
        number('Sent', 'short', SENT),
        number('Delivered', 'short', countOf('delivered')),
        number('Interacted', 'short', countOf('interacted')),
        number('Accepted share', 'percentunit', `${SENT} / nullif(${SENT} + ${countOf('failed')}, 0)`),
        number('Delivered share', 'percentunit', `${countOf('delivered')} / nullif(${SENT}, 0)`),
        number('Interacted share', 'percentunit', `${countOf('interacted')} / nullif(${SENT}, 0)`),
      ],
    },
    {
      title: 'Volume',
      panels: [
        chart('By status', 'short', over('status', 'true')),
        chart('Sent by platform', 'short', over('platform', "status = 'sent'")),
        chart('Sent by provider', 'short', over('provider', "status = 'sent'")),
        chart('Refused by code', 'short', over("provider || ' ' || error_code", "status = 'failed'"), 12),
        chart('Not sent by reason', 'short', over('error_code', "status in ('dropped', 'expired', 'cancelled')"), 12),
      ],
    },
    {
      title: 'Details',
      panels: [
        table(
          'Sends',
          `select uid, accepted_at, ended_at, ${reported('target')} as targets, ${reported('sent')} as sent,
  ${reported('failed')} as failed, ${reported('dropped')} as dropped, delivered, interacted
from (
  select uid, accepted_at, ended_at, counts, delivered, interacted from push_sends where request_hash is not null
  union all
  select uid, accepted_at, ended_at, counts, delivered, interacted from push_reports
) as r
where $__timeFilter(accepted_at) and ${OF_SEND} order by accepted_at desc limit 50`,
          12,
          'The exact reports, with the queue on PostgreSQL. "centripush push list" has them for each queue.',
        ),
        table(
          'Errors',
          `select provider, error_code, sum(count) as pushes from notification_counts
where ${IN_TIME} and status = 'failed' group by provider, error_code order by pushes desc, error_code limit 50`,
          12,
        ),
        table(
          'One device or user',
          `select time, uid, status, provider, platform, device_id, attempt, error_code, error_message from (
  select time, id, uid, status, provider, platform, device_id, user_id, 0 as attempt, error_code, error_message
  from notifications where $__timeFilter(time)
  union all
  select time, id, uid, 'retry', provider, platform, device_id, user_id, attempt, error_code, error_message
  from notification_attempts where $__timeFilter(time)
) as r
where \${device:sqlstring} <> '' and \${device:sqlstring} in (device_id, user_id) and ${OF_SEND}
order by time desc, id desc limit 200`,
          24,
          'Rows are kept for failures and small sends by default (postgresql_analytics.rows).',
        ),
      ],
    },
  ],
}

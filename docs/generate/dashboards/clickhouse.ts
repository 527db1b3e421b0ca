// The dashboard of the rows in ClickHouse. Reports of apps and repeated pushes can have several rows for one device, so
// devices are counted by their ids where there is one.
import type { DashboardPlan, Panel, Query } from './dashboard.ts'
import { chart, table } from './sql-panels.ts'

const NOTIFICATIONS = `notifications\${suffix:raw}`
const ATTEMPTS = `notification_attempts\${suffix:raw}`
const IN_TIME = '$__timeFilter(time)'
const OF_SEND = `(\${uid:sqlstring} = '' OR uid = \${uid:sqlstring})`
const T = '$__timeInterval(time) AS t'

function number(title: string, unit: string, text: string): Panel {
  return { title, kind: 'stat', unit, queries: [{ text }], width: 4 }
}

/** A number over the rows of the chosen time and send. */
function total(expression: string): string {
  return `SELECT ${expression} AS value FROM ${NOTIFICATIONS} WHERE ${IN_TIME} AND ${OF_SEND}`
}

/** A count over time by a column. */
function over(column: string, where: string, from = NOTIFICATIONS): string {
  return `SELECT ${T}, ${column} AS name, count() AS pushes FROM ${from}
WHERE ${IN_TIME} AND ${OF_SEND} AND ${where} GROUP BY t, name ORDER BY t`
}

const SENT = "countIf(status = 'sent')"
const DELIVERED = "uniqExactIf(device_id, status = 'delivered')"
const INTERACTED = "uniqExactIf(device_id, status = 'interacted')"

/** The dashboard of the rows in ClickHouse. */
export const CLICKHOUSE_DASHBOARD: DashboardPlan = {
  uid: 'centripush-clickhouse',
  title: 'centripush pushes (ClickHouse)',
  description: 'What became of pushes, from the tables notifications and notification_attempts.',
  source: 'grafana-clickhouse-datasource',
  variables: [
    { name: 'uid', label: 'uid of a send' },
    { name: 'device', label: 'Device or user' },
    { name: 'suffix', label: 'Suffix of the tables (a cluster: _distributed)' },
  ],
  makeTarget: ({ text }: Query, kind) => ({
    rawSql: text,
    editorType: 'sql',
    queryType: kind === 'timeseries' ? 'timeseries' : 'table',
    format: kind === 'timeseries' ? 0 : 1,
  }),
  sections: [
    {
      title: 'Funnel',
      panels: [
        number('Sent', 'short', total(SENT)),
        number('Delivered', 'short', total(DELIVERED)),
        number('Interacted', 'short', total(INTERACTED)),
        number('Accepted share', 'percentunit', total(`${SENT} / countIf(status IN ('sent', 'failed'))`)),
        number('Delivered share', 'percentunit', total(`${DELIVERED} / ${SENT}`)),
        number('Interacted share', 'percentunit', total(`${INTERACTED} / ${SENT}`)),
      ],
    },
    {
      title: 'Volume',
      panels: [
        chart('By status', 'short', over('status', 'true')),
        chart('Sent by platform', 'short', over('platform', "status = 'sent'")),
        chart('Sent by provider', 'short', over('provider', "status = 'sent'")),
        chart('Refused by code', 'short', over("concat(provider, ' ', error_code)", "status = 'failed'")),
        chart('Not sent by reason', 'short', over('error_code', "status IN ('dropped', 'expired', 'cancelled')")),
        chart('Tried again by code', 'short', over("concat(provider, ' ', error_code)", 'true', ATTEMPTS)),
        chart(
          'Interacted share',
          'percentunit',
          `SELECT ${T}, ${INTERACTED} / ${SENT} AS share FROM ${NOTIFICATIONS}
WHERE ${IN_TIME} AND ${OF_SEND} GROUP BY t HAVING ${SENT} > 0 ORDER BY t`,
          12,
        ),
        chart(
          'Latency of attempts that were repeated, p95',
          'ms',
          `SELECT ${T}, provider, quantileExact(0.95)(latency_ms) AS p95 FROM ${ATTEMPTS}
WHERE ${IN_TIME} AND ${OF_SEND} AND latency_ms > 0 GROUP BY t, provider ORDER BY t`,
          12,
        ),
      ],
    },
    {
      title: 'Details',
      panels: [
        table(
          'Sends',
          `SELECT uid, ${SENT} AS sent, countIf(status = 'failed') AS failed,
  countIf(status IN ('dropped', 'expired', 'cancelled')) AS not_sent, ${DELIVERED} AS delivered,
  ${INTERACTED} AS interacted, min(time) AS first, max(time) AS last
FROM ${NOTIFICATIONS} WHERE ${IN_TIME} AND ${OF_SEND} GROUP BY uid ORDER BY sent DESC, uid LIMIT 50`,
          12,
        ),
        table(
          'Errors',
          `SELECT provider, error_code, count() AS pushes, uniqExact(uid) AS sends, any(error_message) AS example
FROM ${NOTIFICATIONS} WHERE ${IN_TIME} AND ${OF_SEND} AND status = 'failed'
GROUP BY provider, error_code ORDER BY pushes DESC, error_code LIMIT 50`,
          12,
        ),
        table(
          'One device or user',
          `SELECT time, uid, status, provider, platform, device_id, attempt, error_code, error_message FROM (
  SELECT time, uid, status, provider, platform, device_id, user, 0 AS attempt, error_code, error_message
  FROM ${NOTIFICATIONS} WHERE ${IN_TIME}
  UNION ALL
  SELECT time, uid, 'retry', provider, platform, device_id, user, attempt, error_code, error_message
  FROM ${ATTEMPTS} WHERE ${IN_TIME}
)
WHERE \${device:sqlstring} <> '' AND (device_id = \${device:sqlstring} OR user = \${device:sqlstring}) AND ${OF_SEND}
ORDER BY time DESC, attempt DESC LIMIT 200`,
          24,
          'Every event, attempt and report of an app. "centripush push explain" names the reason in words.',
        ),
      ],
    },
  ],
}

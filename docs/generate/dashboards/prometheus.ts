// The dashboard of the metrics. Gauges of the queue and the stores are the same in all servers, so their maximum is
// shown; rates are added up.
import type { DashboardPlan, Panel, PanelKind, Query } from './dashboard.ts'

const PUSHES = 'centrifugo_push_notification_count'
const JOBS = 'centrifugo_push_job_duration_seconds_histogram'
const ANALYTICS = 'centrifugo_clickhouse_analytics'
const DROPS = 'centripush_clickhouse_analytics_drop_count'
const HERE = 'instance=~"$instance"'

/** The rate of a counter, added up by labels. @param where more matchers */
function rate(counter: string, by: string, where = ''): string {
  const matchers = where === '' ? HERE : `${where}, ${HERE}`
  return `sum by (${by}) (rate(${counter}{${matchers}}[$__rate_interval]))`
}

function quantile(share: number, histogram: string, by = ''): string {
  return `histogram_quantile(${share}, ${rate(`${histogram}_bucket`, by === '' ? 'le' : `le, ${by}`)})`
}

function lines(title: string, unit: string, queries: Query[], description?: string, width = 8): Panel {
  return { title, kind: 'timeseries', unit, queries, width, ...(description !== undefined && { description }) }
}

function number(title: string, unit: string, text: string, texts?: Panel['texts']): Panel {
  return { title, kind: 'stat', unit, queries: [{ text }], width: 3, ...(texts && { texts }) }
}

const NO_OR_YES = { '0': 'no', '1': 'YES' }

/** The dashboard of the metrics. */
export const PROMETHEUS_DASHBOARD: DashboardPlan = {
  uid: 'centripush',
  title: 'centripush',
  description: 'Servers, queue, providers and analytics of centripush. docs/metrics.md explains each metric.',
  source: 'prometheus',
  variables: [
    {
      name: 'instance',
      label: 'Server',
      query: { query: 'label_values(centripush_store_up, instance)', refId: 'instance', qryType: 1 },
    },
  ],
  makeTarget: ({ text, legend = '' }: Query, kind: PanelKind) => ({
    expr: text,
    legendFormat: legend,
    range: kind === 'timeseries',
    instant: kind !== 'timeseries',
  }),
  sections: [
    {
      title: 'Overview',
      panels: [
        number('Pushes', 'ops', rate(PUSHES, '', 'success="true"')),
        number('Accepted share', 'percentunit', `${rate(PUSHES, '', 'success="true"')} / ${rate(PUSHES, '')}`),
        number('Waiting batches', 'short', 'sum(max by (queue, provider) (centrifugo_push_queue_consuming_lag))'),
        number('Oldest batch', 's', 'max(centripush_queue_oldest_seconds)'),
        number('Dead letters', 'short', 'max(centripush_queue_dead_letters)'),
        number('Stores', 'short', 'min(centripush_store_up)', { '0': 'DOWN', '1': 'up' }),
        number('A provider is down', 'short', 'max(centripush_provider_down) or vector(0)', NO_OR_YES),
        number('A provider is paused', 'short', 'max(centripush_provider_paused) or vector(0)', NO_OR_YES),
      ],
    },
    {
      title: 'Providers',
      panels: [
        lines('Pushes', 'ops', [{ text: rate(PUSHES, 'provider'), legend: '{{provider}}' }]),
        lines(
          'Accepted share',
          'percentunit',
          [
            {
              text: `${rate(PUSHES, 'provider', 'success="true"')} / ${rate(PUSHES, 'provider')}`,
              legend: '{{provider}}',
            },
          ],
          'Of the pushes that a provider has accepted or refused for good. Dead tokens are refused too.',
        ),
        lines('Refused by code', 'ops', [
          {
            text: `topk(10, ${rate(PUSHES, 'provider, err_code', 'success="false"')})`,
            legend: '{{provider}} {{err_code}}',
          },
        ]),
        lines('Pushes by platform', 'ops', [
          { text: rate(PUSHES, 'platform', 'success="true"'), legend: '{{platform}}' },
        ]),
        lines('Pushes by kind of recipient', 'ops', [
          { text: rate(PUSHES, 'recipient_type'), legend: '{{recipient_type}}' },
        ]),
        lines('Devices removed', 'ops', [
          { text: rate('centripush_devices_removed_count', 'provider'), legend: '{{provider}}' },
        ]),
        lines('Down', 'short', [
          { text: 'max by (provider, origin) (centripush_provider_down)', legend: '{{provider}} {{origin}}' },
        ]),
        lines('Credential refused', 'short', [
          { text: 'max by (provider) (centripush_credential_refused)', legend: '{{provider}}' },
        ]),
        lines('Removal of devices stopped', 'short', [
          { text: 'max by (provider) (centripush_devices_removal_stopped)', legend: '{{provider}}' },
        ]),
      ],
    },
    {
      title: 'Queue',
      panels: [
        lines('Waiting batches', 'short', [
          { text: 'max by (queue, provider) (centrifugo_push_queue_consuming_lag)', legend: '{{provider}}' },
        ]),
        lines('Batches in flight', 'short', [
          { text: 'max by (queue, provider) (centrifugo_push_consuming_inflight_jobs)', legend: '{{provider}}' },
        ]),
        lines('Oldest batch', 's', [{ text: 'max by (queue) (centripush_queue_oldest_seconds)', legend: '{{queue}}' }]),
        lines('Scheduled sends', 'short', [
          { text: 'max by (queue) (centripush_queue_scheduled)', legend: 'waiting for their time' },
          {
            text: rate('centrifugo_push_scheduled_request_count', 'recipient_type'),
            legend: 'accepted per second, {{recipient_type}}',
          },
        ]),
        lines('Dead letters', 'short', [
          { text: 'max by (queue) (centripush_queue_dead_letters)', legend: '{{queue}}' },
        ]),
        lines('Paused', 'short', [
          { text: 'max by (provider, queue) (centripush_provider_paused)', legend: '{{provider}}' },
        ]),
      ],
    },
    {
      title: 'Delivery',
      panels: [
        lines(
          'Duration of a batch',
          's',
          [0.5, 0.95, 0.99].map((share) => ({ text: quantile(share, JOBS), legend: `p${share * 100}` })),
          'From its claim to its acknowledgement.',
        ),
        lines('Duration of a batch by provider, p95', 's', [
          { text: quantile(0.95, JOBS, 'provider'), legend: '{{provider}}' },
        ]),
        lines('Batches', 'ops', [{ text: rate(`${JOBS}_count`, 'provider'), legend: '{{provider}}' }]),
        lines('Not sent by reason', 'ops', [
          { text: rate('centripush_push_unsent_count', 'provider, reason'), legend: '{{provider}} {{reason}}' },
        ]),
        lines('Skipped devices by reason', 'ops', [
          { text: rate('centripush_push_skipped_count', 'provider, reason'), legend: '{{provider}} {{reason}}' },
        ]),
        lines('Calls of clients', 'ops', [
          {
            text: rate('centripush_client_call_count', 'transport, method, code'),
            legend: '{{transport}} {{method}} {{code}}',
          },
        ]),
      ],
    },
    {
      title: 'Analytics',
      panels: [
        lines('Dropped rows', 'short', [
          {
            text: `sum by (type, reason) (increase(${DROPS}{${HERE}}[$__rate_interval]))`,
            legend: '{{type}} {{reason}}',
          },
        ]),
        lines('Rows that wait for their store', 'short', [
          {
            text: `sum by (instance, type) (centripush_clickhouse_analytics_buffered_rows{${HERE}})`,
            legend: '{{instance}} {{type}}',
          },
        ]),
        lines('Duration of an insert, p95', 's', [
          { text: quantile(0.95, `${ANALYTICS}_flush_duration_seconds_histogram`, 'type'), legend: '{{type}}' },
        ]),
        lines('Inserts', 'ops', [
          {
            text: rate(`${ANALYTICS}_flush_duration_seconds_histogram_count`, 'result, retries'),
            legend: '{{result}}, {{retries}} retries',
          },
        ]),
        lines('Rows of an insert, median', 'short', [
          { text: quantile(0.5, `${ANALYTICS}_batch_size_histogram`, 'type'), legend: '{{type}}' },
        ]),
      ],
    },
    {
      title: 'Processes',
      panels: [
        lines(
          'CPU',
          'percentunit',
          [{ text: rate('process_cpu_seconds_total', 'instance'), legend: '{{instance}}' }],
          'Of one core, all processes of a server together.',
        ),
        lines('Memory', 'bytes', [{ text: `process_resident_memory_bytes{${HERE}}`, legend: '{{instance}}' }]),
        lines('Delay of the event loop, p99', 's', [
          { text: `nodejs_eventloop_lag_p99_seconds{${HERE}}`, legend: '{{instance}}' },
        ]),
      ],
    },
  ],
}

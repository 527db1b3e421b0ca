// The metrics of Centrifugo PRO that concern push notifications, and ours. The reference is "PRO metrics reference" in
// https://centrifugal.dev/docs/pro/observability_enhancements.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { listMetrics } from '../../docs/generate/list-metrics.ts'
import { makeMetricsPage } from '../../docs/generate/metrics-page.ts'

const ANALYTICS = 'centrifugo_clickhouse_analytics'

const REFERENCE: [name: string, type: 'counter' | 'gauge' | 'histogram' | 'summary', labels: string[]][] = [
  ['centrifugo_push_notification_count', 'counter', ['provider', 'recipient_type', 'platform', 'success', 'err_code']],
  ['centrifugo_push_scheduled_request_count', 'counter', ['recipient_type']],
  ['centrifugo_push_queue_consuming_lag', 'gauge', ['provider', 'queue']],
  ['centrifugo_push_consuming_inflight_jobs', 'gauge', ['provider', 'queue']],
  ['centrifugo_push_job_duration_seconds', 'summary', ['provider', 'recipient_type']],
  ['centrifugo_push_job_duration_seconds_histogram', 'histogram', ['provider', 'recipient_type']],
  [`${ANALYTICS}_flush_duration_seconds`, 'summary', ['type', 'retries', 'result']],
  [`${ANALYTICS}_flush_duration_seconds_histogram`, 'histogram', ['type', 'retries', 'result']],
  [`${ANALYTICS}_batch_size`, 'summary', ['type']],
  [`${ANALYTICS}_batch_size_histogram`, 'histogram', ['type']],
  [`${ANALYTICS}_drop_count`, 'counter', ['type']],
]

const OWN: typeof REFERENCE = [
  ['centripush_api_refused_count', 'counter', ['method']],
  ['centripush_client_call_count', 'counter', ['transport', 'method', 'code']],
  ['centripush_clickhouse_analytics_buffered_rows', 'gauge', ['type']],
  ['centripush_clickhouse_analytics_drop_count', 'counter', ['type', 'reason']],
  ['centripush_credential_refused', 'gauge', ['provider']],
  ['centripush_devices_removal_stopped', 'gauge', ['provider']],
  ['centripush_devices_removed_count', 'counter', ['provider']],
  ['centripush_provider_down', 'gauge', ['provider', 'origin']],
  ['centripush_provider_paused', 'gauge', ['provider', 'queue']],
  ['centripush_push_skipped_count', 'counter', ['provider', 'reason']],
  ['centripush_push_unsent_count', 'counter', ['provider', 'reason']],
  ['centripush_queue_dead_letters', 'gauge', ['queue']],
  ['centripush_queue_oldest_seconds', 'gauge', ['queue']],
  ['centripush_queue_scheduled', 'gauge', ['queue']],
  ['centripush_store_up', 'gauge', ['store']],
]

// PRO stops exposing its summaries with native histograms, and removes them in its next major version.
const EXPECTED = [...REFERENCE.filter(([, type]) => type !== 'summary'), ...OWN]

test('names, types and labels are those of Centrifugo PRO, and all others begin with centripush_', () => {
  const declared = listMetrics().map(({ name, type, labelNames }) => [name, type, labelNames])
  expect(declared).toEqual(EXPECTED.sort(([a], [b]) => (a < b ? -1 : 1)))
  expect(OWN.filter(([name]) => !name.startsWith('centripush_'))).toEqual([])
})

test('docs/metrics.md is current; "npm run docs:metrics" writes it', () => {
  expect(readFileSync(resolve(import.meta.dirname, '../../docs/metrics.md'), 'utf8')).toBe(makeMetricsPage())
})

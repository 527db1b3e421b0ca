import { expect, test } from 'vitest'
import { readBatchLatencies } from './batch-latency.ts'

const NAME = 'centrifugo_push_job_duration_seconds_histogram_bucket'

test('latencies of batches are read from the buckets of all kinds of recipients', () => {
  const metrics = [
    '# TYPE centrifugo_push_job_duration_seconds_histogram histogram',
    `${NAME}{le="0.1",provider="fcm",recipient_type="token"} 6`,
    `${NAME}{le="1",provider="fcm",recipient_type="token"} 9`,
    `${NAME}{le="+Inf",provider="fcm",recipient_type="token"} 10`,
    `${NAME}{provider="fcm",recipient_type="topic",le="0.1"} 10`,
    `${NAME}{provider="fcm",recipient_type="topic",le="1"} 10`,
    `${NAME}{provider="fcm",recipient_type="topic",le="+Inf"} 10`,
    `${NAME}{le="+Inf",provider="apns",recipient_type="token"} 1`,
    'centrifugo_push_notification_count{provider="hms"} 3',
  ]
  expect(readBatchLatencies(metrics.join('\n'))).toEqual([
    { provider: 'fcm', count: 20, medianSeconds: 0.1, p95Seconds: 1 },
    { provider: 'apns', count: 1, medianSeconds: Number.POSITIVE_INFINITY, p95Seconds: Number.POSITIVE_INFINITY },
  ])
})

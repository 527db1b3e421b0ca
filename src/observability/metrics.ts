// The metrics. Where Centrifugo PRO has such a metric, it has the same name and labels; the other names begin with
// centripush_.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** How often the delay of the event loop is measured, in ms. The default of 10 ms costs 1 % of a core. */
const EVENT_LOOP_PRECISION_MS = 100

/** The metrics of one process. */
export type Metrics = ReturnType<typeof makeMetrics>

/** Makes the metrics and their registry, with the default metrics of the process. */
export function makeMetrics() {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS })
  const registers = [registry]
  return {
    registry,
    notifications: new Counter({
      name: 'centrifugo_push_notification_count',
      help: 'Push notifications by the answer of their provider.',
      labelNames: ['provider', 'recipient_type', 'platform', 'success', 'err_code'],
      registers,
    }),
    jobDuration: new Histogram({
      name: 'centrifugo_push_job_duration_seconds_histogram',
      help: 'Time from the claim of a batch to its acknowledgement.',
      labelNames: ['provider', 'recipient_type'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    scheduled: new Counter({
      name: 'centrifugo_push_scheduled_request_count',
      help: 'Sends accepted for a later time.',
      labelNames: ['recipient_type'],
      registers,
    }),
    skipped: new Counter({
      name: 'centripush_push_skipped_count',
      help: 'Skipped devices: no_notification for their provider in the request, or no_timezone for a time limit.',
      labelNames: ['provider', 'reason'],
      registers,
    }),
    unsent: new Counter({
      name: 'centripush_push_unsent_count',
      help: 'Push notifications not sent: cancelled, expired, rate_limited, no_timezone, or given_up after retries.',
      labelNames: ['provider', 'reason'],
      registers,
    }),
    clientCalls: new Counter({
      name: 'centripush_client_call_count',
      help: 'Calls of clients: by the RPC proxy of the node (rpc) or over HTTP. The code 0 is success.',
      labelNames: ['transport', 'method', 'code'],
      registers,
    }),
    removalStopped: new Gauge({
      name: 'centripush_devices_removal_stopped',
      help: '1 while devices are not removed because their provider calls most tokens dead.',
      labelNames: ['provider'],
      registers,
      // Each process has a breaker of its own. Two open ones must not add up.
      aggregator: 'max',
    }),
    removedDevices: new Counter({
      name: 'centripush_devices_removed_count',
      help: 'Devices removed because their provider called the token dead.',
      labelNames: ['provider'],
      registers,
    }),
  }
}

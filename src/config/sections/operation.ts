// The sections about running the server: metrics, health, log, shutdown.
import * as v from 'valibot'
import { described, section } from '../option.ts'
import { duration, flag, oneOf, text } from '../values.ts'

/** The section of the metrics for Prometheus. */
export const prometheus = section({
  enabled: described(v.optional(flag, true), 'Serves metrics in the text format of Prometheus.'),
  handler_prefix: described(v.optional(text, '/metrics'), 'The path of the metrics.'),
})

/** The section of the health check. */
export const health = section({
  enabled: described(
    v.optional(flag, true),
    'Serves the health check: 200, or 503 while PostgreSQL or Redis does not work, or refuses the claims of workers.',
  ),
  handler_prefix: described(v.optional(text, '/health'), 'The path of the health check.'),
})

/** The section of the log. */
export const log = section({
  level: described(
    v.optional(oneOf(['none', 'trace', 'debug', 'info', 'warn', 'error']), 'info'),
    'The lowest level that is logged.',
  ),
  file: described(v.optional(text, ''), 'The file that the log is appended to. Empty: standard output.'),
  format: described(
    v.optional(oneOf(['auto', 'json', 'pretty']), 'auto'),
    'The form of a line: `json`, one object; `pretty`, readable text. `auto`: text on a terminal, otherwise JSON.',
  ),
})

/** The section of the shutdown: its time limits. */
export const shutdown = section({
  timeout: described(
    v.optional(duration(), '20s'),
    'How long a stop may take after SIGTERM or Ctrl-C. Requests and pushes in flight get all of it but the last 3 s ' +
      '(a quarter of a time below 12 s), in which connections are closed.',
  ),
  drain: described(
    v.optional(duration(), '10s'),
    'After SIGTERM or Ctrl-C, clients of the connection endpoints are disconnected evenly over this time, at most ' +
      '`timeout`, so that they do not all reconnect at once. WebSocket clients get close code 3001, as from a node ' +
      'that shuts down.',
  ),
})

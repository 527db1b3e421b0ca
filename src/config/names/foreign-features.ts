// Features of Centrifugo that centripush does not have. A configuration that asks for one gets a sentence about it, so
// that its operator does not expect it of centripush. Other options of Centrifugo are only named.
import { isTree } from '../config-tree.ts'

/** The path of each feature, and the sentence about it. */
export const FOREIGN_FEATURES: Readonly<Record<string, string>> = {
  consumers: 'only the node consumes queues, and it does not know push methods: send pushes through the API',
  grpc_api: 'only the node serves gRPC, without push methods: send pushes through the HTTP API',
  uni_grpc: 'clients connect to the node directly',
  webtransport: 'clients connect to the node directly',
  'http_api.jwks': 'centripush checks API keys only: a gateway in front of it can check tokens',
  'http_server.http3': 'centripush serves HTTP/1.1: a load balancer in front of it can offer HTTP/3',
  'http_server.h2c_external': 'centripush serves HTTP/1.1: a load balancer in front of it can offer HTTP/2',
  'clickhouse_analytics.snapshots': 'centripush exports notifications only',
  'clickhouse_analytics.export.connections': 'centripush exports notifications only',
  'clickhouse_analytics.export.subscriptions': 'centripush exports notifications only',
  'clickhouse_analytics.export.operations': 'centripush exports notifications only',
  'clickhouse_analytics.export.publications': 'centripush exports notifications only',
  user_status: 'a feature of Centrifugo PRO that neither centripush nor an open-source node has',
  user_block: 'a feature of Centrifugo PRO that neither centripush nor an open-source node has',
  user_tokens_invalidate: 'a feature of Centrifugo PRO that neither centripush nor an open-source node has',
  token_revoke: 'a feature of Centrifugo PRO that neither centripush nor an open-source node has',
  singleflight: 'a feature of Centrifugo PRO that neither centripush nor an open-source node has',
  shared_poll_relay: 'a feature of Centrifugo PRO that neither centripush nor an open-source node has',
  'client.rate_limit': 'a feature of Centrifugo PRO that neither centripush nor an open-source node has',
  sentry: 'centripush reports errors in its log',
  opentelemetry: 'centripush exports no traces; its metrics are at prometheus.handler_prefix',
  graphite: 'centripush has metrics for Prometheus only',
}

/** Whether the value of a feature asks for it: it has content and is not disabled. */
export function isWanted(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (isTree(value)) return Object.keys(value).length > 0 && !isFalse(value.enabled)
  return value !== null && !isFalse(value)
}

function isFalse(value: unknown): boolean {
  return value === false || value === 'false' || value === '0'
}

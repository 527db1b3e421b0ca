import type { TestFcmSimulator } from '../support/fcm-simulator.ts'
import type { Backend, Settings } from './backend.ts'
import type { Scale } from './scale.ts'

/** The API key of the servers. */
export const API_KEY = 'key-of-the-clients'

/** The settings in which servers differ. */
interface ServerOptions {
  /** The most targets of a batch. */
  batchSize: number
  leaseMs: number
}

/** The settings of a server with the simulator as its only provider. */
export function makeSettings(
  { backend, scale }: { backend: Pick<Backend, 'dsn' | 'queueSettings'>; scale: Scale },
  { simulator }: TestFcmSimulator,
  { batchSize, leaseMs }: ServerOptions,
): Settings {
  const { origin, files } = simulator
  return {
    http_api: { key: API_KEY },
    database: { postgresql: { dsn: backend.dsn } },
    push_notifications: {
      enabled_providers: ['fcm'],
      queue: backend.queueSettings,
      fcm: {
        credentials_file: files.credentials,
        ca_file: files.ca,
        push_endpoint: origin,
        auth_endpoint: origin,
        tokens_batch_size: batchSize,
      },
    },
    worker: { lease: `${leaseMs}ms`, heartbeat: `${(leaseMs * scale.heartbeatMs) / scale.leaseMs}ms` },
  }
}

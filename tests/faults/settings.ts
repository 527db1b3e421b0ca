import type { TestFcmSimulator } from '../support/fcm-simulator.ts'
import type { Settings, StoreSettings } from './backend.ts'
import type { Scale } from './scale.ts'

/** The API key of the servers. */
export const API_KEY = 'key-of-the-clients'

const DEFAULT_BATCH_SIZE = 500

/** The options of one process. */
export interface ProcessOptions {
  /** Alterations of this process, in addition to the rig's. */
  alterations?: readonly string[]
  /** The most targets of a batch. */
  batchSize?: number
  /** The lease of its claims, in place of the scale's. */
  leaseMs?: number
  /** Its way to the store, in place of the direct one. */
  store?: StoreSettings
  /** Its provider, in place of the rig's. */
  fcm?: TestFcmSimulator
}

/** The defaults of a process. */
interface Defaults {
  backend: StoreSettings
  scale: Scale
  fcm: TestFcmSimulator
}

/** The settings of a server with a simulator as its only provider. */
export function makeSettings({ backend, scale, ...defaults }: Defaults, options: ProcessOptions = {}): Settings {
  const { batchSize = DEFAULT_BATCH_SIZE, leaseMs = scale.leaseMs, store = backend, fcm = defaults.fcm } = options
  const { origin, files } = fcm.simulator
  return {
    http_api: { key: API_KEY },
    database: { postgresql: { dsn: store.dsn } },
    push_notifications: {
      enabled_providers: ['fcm'],
      queue: store.queueSettings,
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

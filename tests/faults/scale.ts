/** The size of a round, and the lease and heartbeat of its workers. */
export interface Scale {
  name: 'short' | 'full'
  leaseMs: number
  heartbeatMs: number
  /** Devices of a broadcast. */
  devices: number
  /** Devices of a broadcast in cases that need no large one. */
  fewDevices: number
  /** Devices that the walk of `fan-out-killed` reads. */
  walkedDevices: number
  /** Kills of workers in `worker-killed` and `reliable-worker-killed`. */
  workerKills: number
  /** Kills or restarts in each of the other cases. */
  kills: number
  /** Users that acknowledge a message before and during its send. */
  acknowledgements: number
  /** Multiplies the delays of retries and of probes in `provider-…`. */
  retryScale: number
  /** The length of an outage of the provider. */
  outageMs: number
}

/** The round of a gate: lease and heartbeat are a tenth of the real ones. */
export const SHORT: Scale = {
  name: 'short',
  leaseMs: 1500,
  heartbeatMs: 500,
  devices: 50_000,
  fewDevices: 10_000,
  walkedDevices: 50_000,
  workerKills: 2,
  kills: 2,
  acknowledgements: 200,
  retryScale: 0.1,
  outageMs: 8000,
}

/** The round with planted mistakes: enough kills for one of them to meet the mistake. */
export const PLANTED: Scale = { ...SHORT, workerKills: 6, kills: 6 }

/** The long round: lease and heartbeat are the defaults of the configuration. */
export const FULL: Scale = {
  name: 'full',
  leaseMs: 15_000,
  heartbeatMs: 5000,
  devices: 100_000,
  fewDevices: 10_000,
  walkedDevices: 1_000_000,
  workerKills: 100,
  kills: 20,
  acknowledgements: 1000,
  retryScale: 1,
  outageMs: 600_000,
}

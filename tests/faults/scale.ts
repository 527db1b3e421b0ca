/** How much of everything a round has, and the times that the workers are given. */
export interface Scale {
  name: 'short' | 'full'
  leaseMs: number
  heartbeatMs: number
  /** Devices of a broadcast. */
  devices: number
  /** Of a smaller one, where the fault and not the crowd is what matters. */
  fewDevices: number
  /** Devices that the walk of the fan-out case has. */
  walkedDevices: number
  /** Kills of a worker, and of the others, in a case. */
  workerKills: number
  kills: number
  /** Users who acknowledge what they are about to get. */
  acknowledgements: number
}

/** In `npm test`: lease and heartbeat a tenth of the real ones. */
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
}

/** For planted mistakes: so many kills that one falls where it hurts. */
export const PLANTED: Scale = { ...SHORT, workerKills: 6, kills: 6 }

/** With the defaults of the configuration. */
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
}

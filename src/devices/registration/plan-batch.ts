// Decides how each registration of a batch changes the stored devices. The decisions are made without SQL.
import type { DeviceTimes, Registration } from '../registration.ts'
import type { StoredDevice } from './lock-devices.ts'

/** A call to register one device. */
export interface RegisterCall {
  /** The state of the device. An imported record has times; a registration without times happens now. */
  registration: Registration & Partial<DeviceTimes>
  /** The uuid to use if the device is new. */
  newUuid: string
}

/** The decision about one call of registerDevices(). */
export type Decision =
  | { kind: 'stored'; uuid: string }
  /** The stored device is kept: it was registered or updated in this server after `updatedAtSeconds` of the record. */
  | { kind: 'kept' }
  /** The id in the registration belongs to a stored device of another provider, so nothing is stored. */
  | { kind: 'wrongProvider' }
  /**
   * An earlier call of the batch has the same token or device, so this call was not run. It must run after the earlier
   * one.
   */
  | { kind: 'entangled' }

/** A device to write: its uuid and its registration. */
export interface DeviceRow {
  uuid: string
  registration: RegisterCall['registration']
}

/** The error text if the id in a registration belongs to a stored device of another provider. */
export const WRONG_PROVIDER = 'id: belongs to a device of another provider'

/** The decisions about a batch of calls, and the changes to write. */
export interface BatchPlan {
  /** The decision about each call, in the order of the calls. */
  decisions: Decision[]
  /** The devices to write. No two of them have the same uuid or token. */
  rows: DeviceRow[]
  /** The uuids of devices to remove, because their token moves to another device. */
  replaced: string[]
  /** True if no device of `rows` is stored yet, and no stored device has one of their tokens. */
  areAllNew: boolean
}

/**
 * Plans a batch. A call changes the stored device with the id that it names; without one, the device with its token;
 * otherwise it adds a device.
 * @param stored all stored devices with these ids or tokens
 */
export function planBatch(calls: readonly RegisterCall[], stored: readonly StoredDevice[]): BatchPlan {
  const byUuid = new Map(stored.map((device) => [device.uuid, device]))
  const byToken = new Map(stored.map((device) => [describeToken(device), device]))
  // The devices and tokens of earlier calls of the batch.
  const taken = new Set<string>()
  const plan: BatchPlan = { decisions: [], rows: [], replaced: [], areAllNew: stored.length === 0 }
  for (const { registration, newUuid } of calls) {
    const token = describeToken(registration)
    const holder = byToken.get(token)
    const uuid = registration.uuid ?? holder?.uuid ?? newUuid
    const concerned = [token, uuid, holder?.uuid ?? uuid]
    const isEntangled = concerned.some((name) => taken.has(name))
    const decision = isEntangled ? ENTANGLED : decide(uuid, registration, byUuid.get(uuid), holder)
    plan.decisions.push(decision)
    if (isEntangled) continue
    for (const name of concerned) taken.add(name)
    if (decision.kind !== 'stored') continue
    plan.rows.push({ uuid, registration })
    if (holder && holder.uuid !== uuid) plan.replaced.push(holder.uuid)
  }
  return plan
}

const ENTANGLED: Decision = { kind: 'entangled' }

function decide(
  uuid: string,
  registration: RegisterCall['registration'],
  device: StoredDevice | undefined,
  holder: StoredDevice | undefined,
): Decision {
  if (device && device.provider !== registration.provider) return { kind: 'wrongProvider' }
  if (isNewer(device, registration) || isNewer(holder, registration)) return { kind: 'kept' }
  return { kind: 'stored', uuid }
}

/**
 * Whether the stored device is newer than the registration. A registration without times is newer than any stored
 * device.
 */
function isNewer(device: StoredDevice | undefined, { updatedAtSeconds }: Partial<DeviceTimes>): boolean {
  return device !== undefined && updatedAtSeconds !== undefined && device.updatedAtSeconds > updatedAtSeconds
}

function describeToken({ provider, token }: Pick<Registration, 'provider' | 'token'>): string {
  return `${provider} ${token}`
}

// The effect of each registration of a batch on the stored devices: the decisions, without SQL.
import type { DeviceTimes, Registration } from '../registration.ts'
import type { StoredDevice } from './lock-devices.ts'

/** One device to store. */
export interface RegisterCall {
  /** With times for an imported record; without times for a registration at this moment. */
  registration: Registration & Partial<DeviceTimes>
  /** The uuid for the case that the device is new. */
  newUuid: string
}

/** The decision about one call. */
export type Decision =
  | { kind: 'stored'; uuid: string }
  /** The device was registered or updated here after `updatedAtSeconds` of the record. */
  | { kind: 'kept' }
  /** The given id belongs to a device of another provider. */
  | { kind: 'wrongProvider' }
  /** An earlier call of the batch has the same token or device. This call was not run; it must run after that one. */
  | { kind: 'entangled' }

/** A device to write. */
export interface DeviceRow {
  uuid: string
  registration: RegisterCall['registration']
}

/** The error text of `wrongProvider`. */
export const WRONG_PROVIDER = 'id: belongs to a device of another provider'

/** The writes for a batch of calls. */
export interface BatchPlan {
  /** In the order of the calls. */
  decisions: Decision[]
  /** Uuids and tokens are unique among them. */
  rows: DeviceRow[]
  /** Devices to remove, because their token moves to another device. */
  replaced: string[]
  /** None of `rows` is stored yet, and their tokens belong to no stored device. */
  areAllNew: boolean
}

/**
 * Plans a batch. A call changes the device with the given id, else the device with the token, else it adds a device.
 * @param stored all stored devices with these ids or tokens
 */
export function planBatch(calls: readonly RegisterCall[], stored: readonly StoredDevice[]): BatchPlan {
  const byUuid = new Map(stored.map((device) => [device.uuid, device]))
  const byToken = new Map(stored.map((device) => [describeToken(device), device]))
  // Devices and tokens of the calls before.
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

/** A registration without a time is newer than any stored device. */
function isNewer(device: StoredDevice | undefined, { updatedAtSeconds }: Partial<DeviceTimes>): boolean {
  return device !== undefined && updatedAtSeconds !== undefined && device.updatedAtSeconds > updatedAtSeconds
}

function describeToken({ provider, token }: Pick<Registration, 'provider' | 'token'>): string {
  return `${provider} ${token}`
}

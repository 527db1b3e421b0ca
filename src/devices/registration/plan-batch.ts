// What each registration of a batch means for the devices that are stored: the decisions, without SQL.
import type { DeviceTimes, Registration } from '../registration.ts'
import type { StoredDevice } from './lock-devices.ts'

/** One device to store. */
export interface RegisterCall {
  /** With times it is a record from elsewhere, without it is of now. */
  registration: Registration & Partial<DeviceTimes>
  /** Of the device, if this is a new one. */
  newUuid: string
}

export type Decision =
  | { kind: 'stored'; uuid: string }
  /** The device was registered or updated here after the record's `updatedAtSeconds`. */
  | { kind: 'kept' }
  /** The given id is of another provider's device. */
  | { kind: 'wrongProvider' }
  /** It is about the same token or device as an earlier call of the batch: nothing was done, it has to run after it. */
  | { kind: 'entangled' }

/** A device to write. */
export interface DeviceRow {
  uuid: string
  registration: RegisterCall['registration']
}

/** Why such a call is refused. */
export const WRONG_PROVIDER = "id: another provider's device has it"

export interface BatchPlan {
  /** In the order of the calls. */
  decisions: Decision[]
  /** No two with the same uuid or the same token. */
  rows: DeviceRow[]
  /** Devices whose token another one gets: they go. */
  replaced: string[]
  /** None of `rows` is stored in any form. */
  areAllNew: boolean
}

/** The given id wins, else the device that holds the token, else it is a new one. @param stored all that are concerned */
export function planBatch(calls: readonly RegisterCall[], stored: readonly StoredDevice[]): BatchPlan {
  const byUuid = new Map(stored.map((device) => [device.uuid, device]))
  const byToken = new Map(stored.map((device) => [describeToken(device), device]))
  /** Devices and tokens of the calls before. */
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

/** What has no time is of now. */
function isNewer(device: StoredDevice | undefined, { updatedAtSeconds }: Partial<DeviceTimes>): boolean {
  return device !== undefined && updatedAtSeconds !== undefined && device.updatedAtSeconds > updatedAtSeconds
}

function describeToken({ provider, token }: Pick<Registration, 'provider' | 'token'>): string {
  return `${provider} ${token}`
}

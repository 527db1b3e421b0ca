// Which device each record of an import becomes, given what is stored: the decisions, without SQL.
import { encodeProvider } from './codes.ts'
import type { DeviceRecord } from './device-record.ts'

/** A device that a record's id or token names; its row is locked. */
export interface StoredDevice {
  uuid: string
  provider: number
  token: string
  updatedAtSeconds: number
}

/** What became of a record. */
export type ImportOutcome =
  | { kind: 'stored' }
  /** The device has been registered or updated here since. */
  | { kind: 'kept' }
  | { kind: 'refused'; reason: string }

export interface BatchPlan {
  /** To store, each under its uuid: no two with the same uuid or the same token. */
  rows: { uuid: string; record: DeviceRecord }[]
  /** Other devices that hold the tokens of `rows`: they go. */
  replaced: string[]
  outcomes: Map<DeviceRecord, ImportOutcome>
  /** Records that name a device of an earlier record: to store after it. */
  later: DeviceRecord[]
}

/** As device_register decides: the given id wins, else the device with the token, else a new one. */
export function planBatch(
  records: readonly DeviceRecord[],
  stored: readonly StoredDevice[],
  makeUuid: (record: DeviceRecord) => string,
): BatchPlan {
  const byUuid = new Map(stored.map((device) => [device.uuid, device]))
  const byToken = new Map(stored.map((device) => [tokenKey(device.provider, device.token), device]))
  const taken = new Set<string>()
  const plan: BatchPlan = { rows: [], replaced: [], outcomes: new Map(), later: [] }
  for (const record of records) {
    const key = tokenKey(encodeProvider(record.provider), record.token)
    const holder = byToken.get(key)
    const uuid = record.uuid ?? holder?.uuid ?? makeUuid(record)
    const device = byUuid.get(uuid)
    if (taken.has(uuid) || taken.has(key)) {
      plan.later.push(record)
      continue
    }
    taken.add(uuid).add(key)
    if (device && device.provider !== encodeProvider(record.provider)) {
      plan.outcomes.set(record, { kind: 'refused', reason: 'id: belongs to a device of another provider' })
    } else if (isNewer(device, record) || isNewer(holder, record)) {
      plan.outcomes.set(record, { kind: 'kept' })
    } else {
      plan.outcomes.set(record, { kind: 'stored' })
      plan.rows.push({ uuid, record })
      if (holder && holder.uuid !== uuid) plan.replaced.push(holder.uuid)
    }
  }
  return plan
}

function tokenKey(provider: number, token: string): string {
  return `${provider} ${token}`
}

/** A record without a time is of now. */
function isNewer(device: StoredDevice | undefined, { updatedAtSeconds }: DeviceRecord): boolean {
  return device !== undefined && updatedAtSeconds !== undefined && device.updatedAtSeconds > updatedAtSeconds
}

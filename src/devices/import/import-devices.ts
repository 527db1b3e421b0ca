// Import: many devices in few statements, each stored as device_register would store it, but with its own times.
import { readDatabaseError } from '../../database/database-error.ts'
import type { Sql } from '../../database/pool.ts'
import { ApiError } from '../../protocol/errors.ts'
import { makeDeviceUuid } from '../device-id.ts'
import { type Decision, type RegisterCall, WRONG_PROVIDER } from '../registration/plan-batch.ts'
import { registerDevices } from '../registration/register-devices.ts'
import type { DeviceRecord } from './device-record.ts'

/** What became of a record. */
export type ImportOutcome =
  | { kind: 'stored' }
  /** The device has been registered or updated here since. */
  | { kind: 'kept' }
  | { kind: 'refused'; reason: string }

/**
 * What fewer records may get past, by SQLSTATE class: an error that a row has caused (cardinality, data, constraint,
 * limit), or no room for the locks of them all. Other errors are the database's.
 */
const CAUSED_BY_RECORDS = /^(21|22|23|54|53200)/

/**
 * Stores devices, some hundred at once: all of them in one transaction, or when that fails each half in its own, so that
 * none fails its neighbours. A later record of the same device wins; a device that has changed here since its record's
 * `updatedAtSeconds` is kept. Resolves to what became of each record, in their order.
 * @param nowMs Unix time in ms
 */
export async function importDevices(
  sql: Sql,
  records: readonly DeviceRecord[],
  nowMs: number,
): Promise<ImportOutcome[]> {
  if (records.length === 0) return []
  return await storeInOrder(
    sql,
    records.map((registration) => ({ registration, newUuid: chooseUuid(registration, nowMs) })),
  )
}

/** An id sorts by when its device was first registered. */
function chooseUuid({ createdAtSeconds }: DeviceRecord, nowMs: number): string {
  return makeDeviceUuid(createdAtSeconds === undefined ? nowMs : 1000 * createdAtSeconds)
}

async function storeInOrder(sql: Sql, calls: readonly RegisterCall[]): Promise<ImportOutcome[]> {
  let decisions: Decision[]
  try {
    decisions = await registerDevices(sql, calls)
  } catch (error) {
    const reason = readReason(error)
    if (reason === undefined) throw error
    if (calls.length === 1) return [{ kind: 'refused', reason }]
    const middle = Math.ceil(calls.length / 2)
    const first = await storeInOrder(sql, calls.slice(0, middle))
    return [...first, ...(await storeInOrder(sql, calls.slice(middle)))]
  }
  const entangled = calls.filter((_, index) => decisions[index]?.kind === 'entangled')
  const later = entangled.length === 0 ? [] : await storeInOrder(sql, entangled)
  return decisions.map((decision) => toOutcome(decision) ?? later.shift() ?? { kind: 'stored' })
}

/** Undefined for what has to be stored after others. */
function toOutcome(decision: Decision): ImportOutcome | undefined {
  switch (decision.kind) {
    case 'stored':
    case 'kept':
      return { kind: decision.kind }
    case 'wrongProvider':
      return { kind: 'refused', reason: WRONG_PROVIDER }
    case 'entangled':
      return undefined
  }
}

/** Why a record may be refused; undefined for what no record is to blame for. */
function readReason(error: unknown): string | undefined {
  if (error instanceof ApiError && error.kind === 'conflict') return error.message
  const code = readDatabaseError(error)?.code ?? ''
  return CAUSED_BY_RECORDS.test(code) ? `database: ${code}` : undefined
}

// Imports many devices in few statements. Each is stored as device_register stores it, but with the times of its
// record.
import { readDatabaseError } from '../../database/database-error.ts'
import type { Sql } from '../../database/pool.ts'
import { ApiError } from '../../protocol/errors.ts'
import { makeDeviceUuid } from '../device-id.ts'
import { type Decision, type RegisterCall, WRONG_PROVIDER } from '../registration/plan-batch.ts'
import { registerDevices } from '../registration/register-devices.ts'
import type { DeviceRecord } from './device-record.ts'

/** The result of importing one record. */
export type ImportOutcome =
  | { kind: 'stored' }
  /** The record was not stored, because the device was registered or updated in this server after the record's time. */
  | { kind: 'kept' }
  | { kind: 'refused'; reason: string }

/**
 * SQLSTATEs of errors that a call with fewer records may avoid: the classes of errors of a single row (cardinality,
 * data, constraint, limit), and too many locks. All other errors are failures of the database.
 */
const CAUSED_BY_RECORDS = /^(21|22|23|54|53200)/

/**
 * Stores devices, some hundred per call, in one transaction. If it fails, each half of the records is tried in its own
 * transaction, so that an invalid record does not fail the others. If several records name one device, the last one
 * counts. A device that was changed in this server after `updatedAtSeconds` of its record is kept unchanged. Resolves
 * to the outcomes in the order of `records`.
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

/** Makes the uuid of an imported device from the time of its first registration, so that ids sort by that time. */
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

/** Converts the decision about a record; undefined if the record must be stored after an earlier one of the call. */
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

/** The reason why the database refused a record; undefined for an error that records do not cause. */
function readReason(error: unknown): string | undefined {
  if (error instanceof ApiError && error.kind === 'conflict') return error.message
  const code = readDatabaseError(error)?.code ?? ''
  return CAUSED_BY_RECORDS.test(code) ? `database: ${code}` : undefined
}

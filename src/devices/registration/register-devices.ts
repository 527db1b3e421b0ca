// device_register: the whole state of devices, those of many calls in one transaction, because most of what a
// registration costs is its round trips and the commit. An import stores its records the same way.
//
// All that is concerned is locked (lock-devices.ts), what each call means for it is decided (plan-batch.ts), and all of it
// written (write-devices.ts).
import { readDatabaseError } from '../../database/database-error.ts'
import type { Sql } from '../../database/pool.ts'
import { runTransaction } from '../../database/transaction.ts'
import { ApiError } from '../../protocol/errors.ts'
import { ensureTopics } from '../topic-names.ts'
import { lockDevices } from './lock-devices.ts'
import { type Decision, planBatch, type RegisterCall } from './plan-batch.ts'
import { writeDevices } from './write-devices.ts'

/**
 * Stores the devices and resolves to what became of each call. A device's uuid is the given one, else that of the device
 * with this token, else the new one. Its topics become those given, those of its user and those of everyone. Another
 * device with this token is removed. Rejects when nothing was stored, which may be the fault of any of the calls.
 * @param lockTimeoutMs gives up when another transaction is in the way for longer; 0 waits
 * @throws ApiError conflict when somebody who does not lock tokens stored one of them meanwhile: a retry succeeds
 */
export async function registerDevices(
  sql: Sql,
  calls: readonly RegisterCall[],
  lockTimeoutMs = 0,
): Promise<Decision[]> {
  const registrations = calls.map(({ registration }) => registration)
  const topicIds = await ensureTopics(sql, [...new Set(registrations.flatMap(({ topics }) => topics))])
  try {
    return await runTransaction(sql, async (tx) => {
      const plan = planBatch(calls, await lockDevices(tx, registrations, lockTimeoutMs))
      await writeDevices(tx, plan, topicIds)
      return plan.decisions
    })
  } catch (error) {
    if (!CONSTRAINTS.has(readDatabaseError(error)?.constraint ?? '')) throw error
    throw new ApiError('conflict', 'token: is being registered by another request')
  }
}

/** A device's token and its id. */
const CONSTRAINTS = new Set(['devices_token', 'devices_pkey'])

// device_register: stores the whole state of devices. Many calls share one transaction, because most of the cost of a
// registration is its round trips and the commit. An import stores its records in the same way.
//
// A batch is locked (lock-devices.ts), planned (plan-batch.ts) and written (write-devices.ts).
import { readDatabaseError } from '../../database/database-error.ts'
import type { Sql } from '../../database/pool.ts'
import { runTransaction } from '../../database/transaction.ts'
import { ApiError } from '../../protocol/errors.ts'
import { ensureTopics } from '../topic-names.ts'
import { lockDevices } from './lock-devices.ts'
import { type Decision, planBatch, type RegisterCall } from './plan-batch.ts'
import { writeDevices } from './write-devices.ts'

/**
 * Stores the devices and resolves to the decision about each call. The uuid of a device is the given one, else that of
 * the device with this token, else the new one. Its topics are the given ones, those of its user and those of everyone.
 * Another device with this token is removed. If it rejects, nothing was stored; any of the calls may be the cause.
 * @param lockTimeoutMs the longest wait for the lock of another transaction; 0 for no limit
 * @throws ApiError conflict if a writer without these locks has stored one of the tokens meanwhile; a retry succeeds
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
    throw new ApiError('conflict', 'token: another request is registering it')
  }
}

/** The constraints on the token and the id of a device. */
const CONSTRAINTS = new Set(['devices_token', 'devices_pkey'])

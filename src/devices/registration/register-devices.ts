// device_register: stores the whole state of devices. Many calls share one transaction, because round trips and the
// commit are most of the cost of a registration. An import stores its records in the same way.
//
// A batch of calls is locked (lock-devices.ts), planned (plan-batch.ts) and written (write-devices.ts).
import type { CallDeadline } from '../../database/call-deadline.ts'
import { readDatabaseError } from '../../database/database-error.ts'
import type { Sql, Transaction } from '../../database/pool.ts'
import { runTransaction } from '../../database/transaction.ts'
import { ApiError } from '../../protocol/errors.ts'
import { ensureTopics } from '../topic-names.ts'
import { lockDevices } from './lock-devices.ts'
import { type Decision, planBatch, type RegisterCall } from './plan-batch.ts'
import { writeDevices } from './write-devices.ts'

/**
 * Stores the devices and resolves to the decision about each call. The uuid of a device is that of its registration,
 * else that of the stored device with this token, else a new one. Its topics are those of its registration, those of
 * its user and those of everyone. Another stored device with this token is removed. If the promise rejects, nothing was
 * stored, and any of the calls may be the cause.
 * @param limits `lockTimeoutMs`: how long to wait at most for a lock that another transaction holds, without it there
 *   is no limit; `deadline`: after it nothing is stored
 * @throws ApiError conflict if a writer that takes none of these locks has just stored one of the tokens; a retry
 * succeeds
 */
export async function registerDevices(
  sql: Sql,
  calls: readonly RegisterCall[],
  { lockTimeoutMs = 0, deadline }: { lockTimeoutMs?: number; deadline?: CallDeadline } = {},
): Promise<Decision[]> {
  const registrations = calls.map(({ registration }) => registration)
  const topicIds = await ensureTopics(sql, [...new Set(registrations.flatMap(({ topics }) => topics))])
  try {
    const store = async (tx: Transaction) => {
      const plan = planBatch(calls, await lockDevices(tx, registrations, lockTimeoutMs))
      await writeDevices(tx, plan, topicIds)
      return plan.decisions
    }
    return await runTransaction(sql, store, deadline)
  } catch (error) {
    if (!CONSTRAINTS.has(readDatabaseError(error)?.constraint ?? '')) throw error
    throw new ApiError('conflict', 'token: another request is registering it')
  }
}

/** The names of the constraints on the token and the id of a device. */
const CONSTRAINTS = new Set(['devices_token', 'devices_pkey'])

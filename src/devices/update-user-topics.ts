// The API method user_topic_update: changes the topics of a user and of the user's devices.
import * as v from 'valibot'
import type { CallDeadline } from '../database/call-deadline.ts'
import type { Sql, Transaction } from '../database/pool.ts'
import { runTransaction } from '../database/transaction.ts'
import { resolveTopics, subscribe, type TopicIdOperation, unsubscribe } from './device-topic-statements.ts'
import type { TopicOperation } from './topic-operation.ts'
import { lockUser } from './user-lock.ts'

const TopicId = v.object({ topic_id: v.number() })
const DeviceUuid = v.object({ id: v.string() })

/**
 * Changes the topics of a user and, in the same transaction, of the user's devices. The devices get the added topics
 * and lose the removed ones, except the topics of everyone. A change for the user '' (everyone) changes no stored
 * device: each device gets the topics of everyone when it registers.
 */
export async function updateUserTopics(
  sql: Sql,
  user: string,
  operation: TopicOperation,
  deadline: CallDeadline,
): Promise<void> {
  const topics = await resolveTopics(sql, operation)
  const update = async (tx: Transaction) => {
    await lockUser(tx, user)
    const left = topics.op === 'add' ? [] : await deleteUserTopics(tx, user, topics)
    const joined = topics.op === 'remove' ? [] : topics.topicIds
    await insertUserTopics(tx, user, joined)
    if (user === '') return
    const uuids = await lockDevicesOf(tx, user)
    await unsubscribe(tx, uuids, await withoutEveryones(tx, left))
    await subscribe(tx, uuids, joined)
  }
  await runTransaction(sql, update, deadline)
}

/**
 * Deletes the topics that the user loses: those that `remove` names, or those that `set` does not name. Resolves to the
 * deleted topics.
 */
async function deleteUserTopics(tx: Transaction, user: string, { op, topicIds }: TopicIdOperation): Promise<number[]> {
  const ids = [...topicIds]
  const leaves = op === 'remove' ? tx`topic_id = any(${ids}::int[])` : tx`topic_id <> all(${ids}::int[])`
  const rows = await tx`delete from user_topics where user_id = ${user} and ${leaves} returning topic_id`
  return rows.map((row) => v.parse(TopicId, row).topic_id)
}

async function insertUserTopics(tx: Transaction, user: string, topicIds: readonly number[]): Promise<void> {
  await tx`
    insert into user_topics (topic_id, user_id) select unnest(${[...topicIds]}::int[]), ${user}
    on conflict do nothing`
}

async function withoutEveryones(tx: Transaction, topicIds: number[]): Promise<number[]> {
  const rows = await tx`select topic_id from user_topics where user_id = '' and topic_id = any(${topicIds}::int[])`
  const everyones = new Set(rows.map((row) => v.parse(TopicId, row).topic_id))
  return topicIds.filter((topicId) => !everyones.has(topicId))
}

async function lockDevicesOf(tx: Transaction, user: string): Promise<string[]> {
  const rows = await tx`select id from devices where user_id = ${user} order by id for no key update`
  return rows.map((row) => v.parse(DeviceUuid, row).id)
}

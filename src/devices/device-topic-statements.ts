// The SQL of devices' subscriptions to topics. The caller has locked the rows of the devices in an earlier statement of
// its transaction.
import type { Queryable, Sql } from '../database/pool.ts'
import { ensureTopicIds, selectTopicIds } from './topic-names.ts'
import type { TopicOperation } from './topic-operation.ts'

/** A TopicOperation with the topics' numbers in the tables in place of their names. */
export interface TopicIdOperation {
  op: TopicOperation['op']
  topicIds: readonly number[]
}

/** Finds the numbers of the operation's topics. Must run before the transaction that uses them, see ensureTopics(). */
export async function resolveTopics(sql: Sql, { op, topics }: TopicOperation): Promise<TopicIdOperation> {
  const topicIds =
    op === 'remove' ? [...(await selectTopicIds(sql, topics)).values()] : await ensureTopicIds(sql, topics)
  return { op, topicIds }
}

/** Applies the topic operation to all devices in `uuids`. */
export async function applyToDevices(sql: Queryable, uuids: readonly string[], { op, topicIds }: TopicIdOperation) {
  if (op === 'add') await subscribe(sql, uuids, topicIds)
  else if (op === 'remove') await unsubscribe(sql, uuids, topicIds)
  else await Promise.all([unsubscribeFromOthers(sql, uuids, topicIds), subscribe(sql, uuids, topicIds)])
}

/** Subscribes every device in `uuids` to every topic in `topicIds`. */
export async function subscribe(sql: Queryable, uuids: readonly string[], topicIds: readonly number[]): Promise<void> {
  await sql`
    insert into device_topics (topic_id, device_id)
    select t.id, d.id from unnest(${[...topicIds]}::int[]) as t (id), unnest(${[...uuids]}::uuid[]) as d (id)
    on conflict do nothing`
}

/** Unsubscribes every device in `uuids` from every topic in `topicIds`. */
export async function unsubscribe(
  sql: Queryable,
  uuids: readonly string[],
  topicIds: readonly number[],
): Promise<void> {
  await sql`
    delete from device_topics where topic_id = any(${[...topicIds]}::int[]) and device_id = any(${[...uuids]}::uuid[])`
}

async function unsubscribeFromOthers(sql: Queryable, uuids: readonly string[], topicIds: readonly number[]) {
  await sql`
    delete from device_topics
    where device_id = any(${[...uuids]}::uuid[]) and topic_id <> all(${[...topicIds]}::int[])`
}

/** Unsubscribes the devices in `uuids` from all topics. */
export async function unsubscribeFromAll(sql: Queryable, uuids: readonly string[]): Promise<void> {
  await sql`delete from device_topics where device_id = any(${[...uuids]}::uuid[])`
}

// Imports users' topics: adds them as user_topic_update does, for many users at once.
import * as v from 'valibot'
import type { Sql, Transaction } from '../../database/pool.ts'
import { runTransaction } from '../../database/transaction.ts'
import { message, string } from '../../protocol/wire-types.ts'
import { checkTopic, checkUser } from '../field-checks.ts'
import { ensureTopics } from '../topic-names.ts'
import { lockUsers } from '../user-lock.ts'

/** A line of an import file: an item of user_topic_list, as the wire types decode it. */
export const UserTopicRecordMessage = message({ user: string, topic: string })

/** A record of an import: one topic of one user. */
export interface UserTopicRecord {
  /** The user that has the topic; empty for a topic of everyone. */
  user: string
  topic: string
}

/** Checks a record of an import. @throws ApiError badRequest that names the field and never contains its value */
export function parseUserTopicRecord(record: UserTopicRecord): UserTopicRecord {
  return { user: checkUser('user', record.user), topic: checkTopic('topic', record.topic) }
}

/**
 * Adds topics to users and to the users' devices in one transaction. The topics of everyone are not added to devices.
 */
export async function importUserTopics(sql: Sql, records: readonly UserTopicRecord[]): Promise<void> {
  const topicIds = await ensureTopics(sql, [...new Set(records.map(({ topic }) => topic))])
  const users = records.map(({ user }) => user)
  const topics = records.map(({ topic }) => topicIds.get(topic) ?? null)
  await runTransaction(sql, async (tx) => {
    await lockUsers(tx, users)
    await tx`
      insert into user_topics (topic_id, user_id)
      select topic_id, user_id from unnest(${topics}::int[], ${users}::text[]) as given (topic_id, user_id)
      on conflict do nothing`
    const uuids = await lockDevicesOf(tx, users)
    if (uuids.length === 0) return
    await tx`
      insert into device_topics (topic_id, device_id)
      select given.topic_id, d.id
      from unnest(${topics}::int[], ${users}::text[]) as given (topic_id, user_id)
      join devices d on d.user_id = given.user_id
      where given.user_id <> '' and d.id = any(${uuids}::uuid[])
      on conflict do nothing`
  })
}

const Locked = v.object({ id: v.string() })

async function lockDevicesOf(tx: Transaction, users: readonly string[]): Promise<string[]> {
  const named = users.filter((user) => user !== '')
  const rows = await tx`
    select id from devices where user_id = any(${named}::text[]) order by id for no key update`
  return rows.map((row) => v.parse(Locked, row).id)
}

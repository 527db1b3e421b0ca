// The list of the API method user_topic_list.
import * as v from 'valibot'
import type { Sql } from '../database/pool.ts'
import { checkUser } from './field-checks.ts'
import { countRows, type ListPage, makePage, type Page, readLimit } from './list-page.ts'
import { formatTopicCursor, parseTopicCursor } from './topic-cursor.ts'
import { type TopicFilter, topicMatches } from './topic-filter.ts'

/** A request for a page of users' topics. */
export interface UserTopicQuery extends Page {
  /** The users to list topics of; empty for all users. The topics of everyone belong to the user ''. */
  users: readonly string[]
  topics: TopicFilter
}

/** One topic of one user. */
export interface UserTopic {
  /** The id of the user's topic, which is also its cursor in the list. */
  id: string
  user: string
  topic: string
}

const Row = v.object({ topic_id: v.number(), topic: v.string(), user_id: v.string() })

/**
 * A page of users' topics in the order of their ids: first by the time at which the topic was first used, then by user.
 * @throws ApiError badRequest
 */
export async function listUserTopics(sql: Sql, query: UserTopicQuery): Promise<ListPage<UserTopic>> {
  const limit = readLimit(query.limit)
  const after = parseCursor(query.cursor)
  const byUser = query.users.length === 0 ? sql`true` : sql`u.user_id = any(${[...query.users]}::text[])`
  const from = sql`
    from user_topics u join topics on topics.id = u.topic_id where ${byUser} and ${topicMatches(sql, query.topics)}`
  const [rows, totalCount] = await Promise.all([
    sql`
      select u.topic_id, topics.name as topic, u.user_id ${from}
        and (u.topic_id, u.user_id) > (${after.topicId}, ${after.owner})
      order by u.topic_id, u.user_id
      limit ${limit + 1}`,
    countRows(sql, from, query.includeTotalCount),
  ])
  const items = rows.map((row) => {
    const { topic_id: topicId, topic, user_id: user } = v.parse(Row, row)
    return { id: formatTopicCursor({ topicId, owner: user }), user, topic }
  })
  return makePage(items, limit, totalCount)
}

function parseCursor(cursor: string) {
  if (cursor === '') return { topicId: 0, owner: '' }
  const { topicId, owner } = parseTopicCursor(cursor)
  return { topicId, owner: checkUser('cursor', owner) }
}

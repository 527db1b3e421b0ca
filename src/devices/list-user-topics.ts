// The list of the API method user_topic_list.
import * as v from 'valibot'
import type { Fragment, Sql } from '../database/pool.ts'
import { checkUser } from './field-checks.ts'
import { countRows, EMPTY_PAGE, type ListPage, makePage, type Page, readLimit } from './list-page.ts'
import { formatTopicCursor, parseTopicCursor, type TopicCursor } from './topic-cursor.ts'
import {
  resolveTopicFilter,
  selectsAllTopics,
  type TopicConditions,
  type TopicFilter,
  topicMatches,
  topicsInOrder,
} from './topic-filter.ts'

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
  const topics = await resolveTopicFilter(sql, query.topics)
  if (!topics) return EMPTY_PAGE
  const byUser = query.users.length === 0 ? sql`true` : sql`u.user_id = any(${[...query.users]}::text[])`
  const from = sql`
    from user_topics u join topics on topics.id = u.topic_id
    where ${byUser} and ${topicMatches(sql, topics, sql`u.topic_id`)}`
  const rest =
    query.users.length > 0 || selectsAllTopics(topics)
      ? // The last condition follows from the one before. Without it, the topics may be read from the first one on.
        sql`${from} and (u.topic_id, u.user_id) > (${after.topicId}, ${after.owner}) and topics.id >= ${after.topicId}`
      : walkTopics(sql, { topics, after, limit })
  const [rows, totalCount] = await Promise.all([
    sql`
      select topics.id as topic_id, topics.name as topic, u.user_id ${rest}
      order by topics.id, u.user_id
      limit ${limit + 1}`,
    countRows(sql, from, query.includeTotalCount),
  ])
  const items = rows.map((row) => {
    const { topic_id: topicId, topic, user_id: user } = v.parse(Row, row)
    return { id: formatTopicCursor({ topicId, owner: user }), user, topic }
  })
  return makePage(items, limit, totalCount)
}

/** The users of some topics, of each topic at most those that fill a page. */
function walkTopics(sql: Sql, query: { topics: TopicConditions; after: TopicCursor; limit: number }): Fragment {
  const { topics, after, limit } = query
  return sql`
    from ${topicsInOrder(sql, topics, after.topicId)}
    cross join lateral (
      select user_id from user_topics
      -- A topic is a range of the index here, for which the planner estimates many rows: for a few it would read all
      -- users of the topic and sort them. The last condition leaves out the user of the cursor.
      where (topic_id, user_id) >= (topics.id, case when topics.id = ${after.topicId} then ${after.owner} else '' end)
        and topic_id <= topics.id and (topics.id, user_id) > (${after.topicId}, ${after.owner})
      order by topic_id, user_id limit ${limit + 1}
    ) as u`
}

function parseCursor(cursor: string): TopicCursor {
  if (cursor === '') return { topicId: 0, owner: '' }
  const { topicId, owner } = parseTopicCursor(cursor)
  return { topicId, owner: checkUser('cursor', owner) }
}

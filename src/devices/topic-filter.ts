import type { Fragment, Queryable } from '../database/pool.ts'
import { checkList, checkTopic, checkTopicPrefix } from './field-checks.ts'

/** The topics of a list. An empty field is no condition. */
export interface TopicFilter {
  topics: readonly string[]
  /** No character in it is a wildcard. */
  topicPrefix: string
}

/** The topics of a request's filter. An absent filter selects all topics. @throws ApiError badRequest */
export function parseTopicFilter(filter: { topics: readonly string[]; topic_prefix: string } | undefined): TopicFilter {
  return {
    topics: checkList('filter.topics', filter?.topics ?? [], checkTopic),
    topicPrefix: checkTopicPrefix('filter.topic_prefix', filter?.topic_prefix ?? ''),
  }
}

/** The SQL condition for the row `topics`. */
export function topicMatches(sql: Queryable, { topics, topicPrefix }: TopicFilter): Fragment {
  const byName = topics.length === 0 ? sql`true` : sql`topics.name = any(${[...topics]}::text[])`
  return topicPrefix === '' ? byName : sql`${byName} and starts_with(topics.name, ${topicPrefix})`
}

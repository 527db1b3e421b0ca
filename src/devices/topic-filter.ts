import type { Fragment, Queryable } from '../database/pool.ts'
import { checkList, checkTopic, checkTopicPrefix } from './field-checks.ts'

/** Selects topics in a list. An empty field selects all topics. */
export interface TopicFilter {
  topics: readonly string[]
  /** The beginning of the topic's name. No character in it is a wildcard. */
  topicPrefix: string
}

/** Reads the topic filter of a request. A request without a filter selects all topics. @throws ApiError badRequest */
export function parseTopicFilter(filter: { topics: readonly string[]; topic_prefix: string } | undefined): TopicFilter {
  return {
    topics: checkList('filter.topics', filter?.topics ?? [], checkTopic),
    topicPrefix: checkTopicPrefix('filter.topic_prefix', filter?.topic_prefix ?? ''),
  }
}

/** The SQL condition that a row `topics` matches the filter. */
export function topicMatches(sql: Queryable, { topics, topicPrefix }: TopicFilter): Fragment {
  const byName = topics.length === 0 ? sql`true` : sql`topics.name = any(${[...topics]}::text[])`
  return topicPrefix === '' ? byName : sql`${byName} and starts_with(topics.name, ${topicPrefix})`
}

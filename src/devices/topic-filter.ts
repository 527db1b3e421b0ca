import type { Fragment, Queryable } from '../database/pool.ts'
import { checkList, checkTopic, checkTopicPrefix } from './field-checks.ts'

/** Which topics a list shows; empty ones ask for nothing. */
export interface TopicFilter {
  topics: readonly string[]
  /** Each of its characters stands for itself. */
  topicPrefix: string
}

/** The fields of a request's filter that name topics; an absent filter means every topic. @throws ApiError badRequest */
export function parseTopicFilter(filter: { topics: readonly string[]; topic_prefix: string } | undefined): TopicFilter {
  return {
    topics: checkList('filter.topics', filter?.topics ?? [], checkTopic),
    topicPrefix: checkTopicPrefix('filter.topic_prefix', filter?.topic_prefix ?? ''),
  }
}

/** What follows `where` for the row `topics`. */
export function topicMatches(sql: Queryable, { topics, topicPrefix }: TopicFilter): Fragment {
  const byName = topics.length === 0 ? sql`true` : sql`topics.name = any(${[...topics]}::text[])`
  return topicPrefix === '' ? byName : sql`${byName} and starts_with(topics.name, ${topicPrefix})`
}

import type { Fragment, Queryable } from '../database/pool.ts'
import { checkList, checkTopic, checkTopicPrefix } from './field-checks.ts'
import { selectTopicIds } from './topic-names.ts'

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

/** A topic filter with the numbers of the named topics. */
export interface TopicConditions {
  /** The numbers in ascending order; undefined: the filter names no topics. */
  topicIds: number[] | undefined
  topicPrefix: string
}

/** Looks up the topics of a filter; undefined if no topic can match, because all that it names are unknown. */
export async function resolveTopicFilter(sql: Queryable, filter: TopicFilter): Promise<TopicConditions | undefined> {
  const { topics, topicPrefix } = filter
  if (topics.length === 0) return { topicIds: undefined, topicPrefix }
  const topicIds = [...(await selectTopicIds(sql, topics)).values()].sort((a, b) => a - b)
  return topicIds.length === 0 ? undefined : { topicIds, topicPrefix }
}

/** Whether the conditions select all topics. */
export function selectsAllTopics({ topicIds, topicPrefix }: TopicConditions): boolean {
  return topicIds === undefined && topicPrefix === ''
}

/**
 * The SQL condition that a row `topics` matches the filter.
 * @param id the column with the number of the topic, `topics.id` or one that is equal to it
 */
export function topicMatches(sql: Queryable, { topicIds, topicPrefix }: TopicConditions, id: Fragment): Fragment {
  const byId = topicIds ? sql`${id} = any(${topicIds}::int[])` : sql`true`
  return topicPrefix === '' ? byId : sql`${byId} and starts_with(topics.name, ${topicPrefix})`
}

/**
 * A relation `topics` of those that match the filter, from number `from` on and in the order of their numbers. A list
 * that joins the first rows of each of them reads no topic behind its page.
 */
export function topicsInOrder(sql: Queryable, conditions: TopicConditions, from: number): Fragment {
  return sql`(
    select id, name from topics where id >= ${from} and ${topicMatches(sql, conditions, sql`topics.id`)} order by id
  ) as topics`
}

// Devices in the order of their ids, page by page: what fan-out and device_list read. Neither where a page starts nor how
// few devices match may make it slow, so it is put together from streams: ranges of an index that have the ids in order,
// one for each topic, user, or provider and platform that is asked for. Left to itself the planner would read the table
// in the order of ids and hope to meet matching devices soon, which it does not where they are rare or all registered late.
import type { Fragment, Queryable } from '../database/pool.ts'
import { ALL_PLATFORM_CODES, ALL_PROVIDER_CODES } from './codes.ts'
import { type DeviceConditions, deviceColumnsMatch, deviceMatches } from './device-filter.ts'

export interface Walk {
  conditions: DeviceConditions
  /** The last device of the page before. */
  afterUuid: string
  limit: number
}

/** A query for a page: `columns` of the row `d` of devices, among them `d.id`, each device once. */
export function walkDevices(sql: Queryable, columns: Fragment, walk: Walk): Fragment {
  const { ids, topicIds, users, providers, platforms } = walk.conditions
  const hasKinds = providers !== undefined || platforms !== undefined
  if (ids) return walkTable(sql, columns, walk)
  if (topicIds) return walkTopics(sql, columns, walk, topicIds)
  // What is true for one user and for one kind is in the statistics, so the planner knows which of them is rarer.
  if (users && hasKinds && users.length === 1) return walkTable(sql, columns, walk)
  if (users) return walkUsers(sql, columns, walk, users)
  return hasKinds ? mergeStreams(sql, columns, walk, streamKinds(sql, walk)) : walkTable(sql, columns, walk)
}

/** The ids of such a page alone. Those of a topic are in its index. */
export function walkIds(sql: Queryable, walk: Walk): Fragment {
  const { topicIds, ...others } = walk.conditions
  const [topicId] = topicIds ?? []
  const isTopic = topicIds?.length === 1 && Object.values(others).every((values) => values === undefined)
  if (!isTopic || topicId === undefined) return walkDevices(sql, sql`d.id`, walk)
  return sql`
    select t.device_id as id from device_topics t
    where t.topic_id = ${topicId} and t.device_id > ${walk.afterUuid}
    order by t.device_id
    limit ${walk.limit}`
}

function walkTable(sql: Queryable, columns: Fragment, walk: Walk): Fragment {
  return sql`
    select ${columns} from devices d
    where ${startsAt(sql, sql`d.id`, walk)} and ${deviceMatches(sql, walk.conditions)}
    order by d.id
    limit ${walk.limit}`
}

function walkTopics(sql: Queryable, columns: Fragment, walk: Walk, topicIds: readonly number[]): Fragment {
  const [topicId] = topicIds
  if (topicIds.length === 1 && topicId !== undefined) return walkTopic(sql, columns, walk, topicId)
  const { users, providers, platforms } = walk.conditions
  const filter =
    users || providers || platforms
      ? sql`and exists (
          select from devices d where d.id = t.device_id and ${deviceColumnsMatch(sql, walk.conditions)})`
      : sql``
  const { keys, stream } = streamTopics(sql, topicIds, walk.afterUuid)
  const start = startsAt(sql, sql`t.device_id`, walk)
  return mergeStreams(sql, columns, walk, { keys, stream: sql`${stream} and ${start} ${filter}` })
}

function walkTopic(sql: Queryable, columns: Fragment, walk: Walk, topicId: number): Fragment {
  // Where to start is stated for both tables, though one follows from the other: with it both are read in order and
  // merged, without it every page reads one of them from its start.
  return sql`
    select ${columns} from device_topics t join devices d on d.id = t.device_id
    where t.topic_id = ${topicId} and ${startsAt(sql, sql`t.device_id`, walk)} and ${startsAt(sql, sql`d.id`, walk)}
      and ${deviceColumnsMatch(sql, walk.conditions)}
    order by d.id
    limit ${walk.limit}`
}

/** After the page before, and not before the next device of the topics, users and kinds, which may be a million ids away. */
function startsAt(sql: Queryable, id: Fragment, walk: Walk): Fragment {
  const { conditions, afterUuid } = walk
  const { topicIds, users, providers, platforms } = conditions
  let start = sql`${id} > ${afterUuid}`
  if (topicIds) start = sql`${start} and ${id} >= ${selectFirst(sql, streamTopics(sql, topicIds, afterUuid))}`
  if (users) start = sql`${start} and ${id} >= ${selectFirst(sql, streamUsers(sql, users, afterUuid))}`
  if (providers || platforms) start = sql`${start} and ${id} >= ${selectFirst(sql, streamKinds(sql, walk))}`
  return start
}

/** Null, which nothing compares with, when there is none. */
function selectFirst(sql: Queryable, { keys, stream }: Streams): Fragment {
  return sql`(
    select first.id
    from ${keys} cross join lateral (select s.id from (${stream}) as s order by s.id limit 1) as first
    order by first.id
    limit 1
  )`
}

/** Ids in order, for each of the keys. */
interface Streams {
  keys: Fragment
  stream: Fragment
}

function streamTopics(sql: Queryable, topicIds: readonly number[], afterUuid: string): Streams {
  return {
    keys: sql`unnest(${[...topicIds]}::int[]) as key (topic_id)`,
    stream: sql`
      select t.device_id as id from device_topics t where t.topic_id = key.topic_id and t.device_id > ${afterUuid}`,
  }
}

function streamUsers(sql: Queryable, users: readonly string[], afterUuid: string): Streams {
  return {
    keys: sql`unnest(${[...users]}::text[]) as key (user_id)`,
    stream: sql`select d.id from devices d where d.user_id = key.user_id and d.id > ${afterUuid}`,
  }
}

/** A kind is a provider with a platform. */
function streamKinds(sql: Queryable, { conditions, afterUuid }: Walk): Streams {
  const { providers = ALL_PROVIDER_CODES, platforms = ALL_PLATFORM_CODES } = conditions
  return {
    keys: sql`
      unnest(${[...providers]}::smallint[]) as provider (code), unnest(${[...platforms]}::smallint[]) as platform (code)`,
    stream: sql`
      select d.id from devices d
      where d.provider = provider.code and d.platform = platform.code and d.id > ${afterUuid}`,
  }
}

/** The users' streams, of those devices that have one of the kinds. */
function walkUsers(sql: Queryable, columns: Fragment, walk: Walk, users: readonly string[]): Fragment {
  const { keys, stream } = streamUsers(sql, users, walk.afterUuid)
  const others = deviceColumnsMatch(sql, { ...walk.conditions, users: undefined })
  return mergeStreams(sql, columns, walk, { keys, stream: sql`${stream} and ${others}` })
}

/** As many ids of each stream as the page could hold, then the first of all of them, and only for those the columns. */
function mergeStreams(sql: Queryable, columns: Fragment, { limit }: Walk, { keys, stream }: Streams): Fragment {
  return sql`
    select ${columns}
    from (
      select distinct streams.id
      from ${keys} cross join lateral (select s.id from (${stream}) as s order by s.id limit ${limit}) as streams
      order by streams.id
      limit ${limit}
    ) as page
    join devices d on d.id = page.id
    order by d.id`
}

// Devices in the order of their ids, page by page, for the fan-out and device_list. A page must be quick at any start
// and with any number of matching devices. So it is merged from streams: ranges of an index with ids in order, one per
// selected topic, user, or provider and platform. Otherwise the planner would read the table in the order of ids until
// it has found enough matching devices. That is slow if they are rare, or if all of them were registered late.
import type { Fragment, Queryable } from '../database/pool.ts'
import { ALL_PLATFORM_CODES, ALL_PROVIDER_CODES } from './codes.ts'
import { type DeviceConditions, deviceColumnsMatch, deviceMatches } from './device-filter.ts'

/** A page of a walk over the matching devices. */
export interface Walk {
  conditions: DeviceConditions
  /** The last device of the page before. */
  afterUuid: string
  limit: number
}

/** The query for a page. @param columns of the row `d` of devices, with `d.id` among them */
export function walkDevices(sql: Queryable, columns: Fragment, walk: Walk): Fragment {
  const { ids, topicIds, users, providers, platforms } = walk.conditions
  const hasKinds = providers !== undefined || platforms !== undefined
  if (ids) return walkTable(sql, columns, walk)
  if (topicIds) return walkTopics(sql, columns, walk, topicIds)
  // The statistics have the frequency of one user and of one kind, so the planner can choose the rarer one.
  if (users && hasKinds && users.length === 1) return walkTable(sql, columns, walk)
  if (users) return walkUsers(sql, columns, walk, users)
  return hasKinds ? mergeStreams(sql, columns, walk, streamKinds(sql, walk)) : walkTable(sql, columns, walk)
}

/** The query for the ids of a page. For a single topic, its index has them. */
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
  // The start is given for both tables, although one follows from the other. So both are read in order from there and
  // merged. Without it, each page would read one of the tables from its beginning.
  return sql`
    select ${columns} from device_topics t join devices d on d.id = t.device_id
    where t.topic_id = ${topicId} and ${startsAt(sql, sql`t.device_id`, walk)} and ${startsAt(sql, sql`d.id`, walk)}
      and ${deviceColumnsMatch(sql, walk.conditions)}
    order by d.id
    limit ${walk.limit}`
}

/**
 * The start of the page: after the last page, at the next id of the topics, users and kinds. It can be a million ids
 * on.
 */
function startsAt(sql: Queryable, id: Fragment, walk: Walk): Fragment {
  const { conditions, afterUuid } = walk
  const { topicIds, users, providers, platforms } = conditions
  let start = sql`${id} > ${afterUuid}`
  if (topicIds) start = sql`${start} and ${id} >= ${selectFirst(sql, streamTopics(sql, topicIds, afterUuid))}`
  if (users) start = sql`${start} and ${id} >= ${selectFirst(sql, streamUsers(sql, users, afterUuid))}`
  if (providers || platforms) start = sql`${start} and ${id} >= ${selectFirst(sql, streamKinds(sql, walk))}`
  return start
}

/** The first id of the streams; null if there is none, and no comparison with null is true. */
function selectFirst(sql: Queryable, { keys, stream }: Streams): Fragment {
  return sql`(
    select first.id
    from ${keys} cross join lateral (select s.id from (${stream}) as s order by s.id limit 1) as first
    order by first.id
    limit 1
  )`
}

/** Ranges of an index with ids in order, one per key. */
interface Streams {
  keys: Fragment
  /** The range of the current key. */
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

/** A kind is a provider and a platform. */
function streamKinds(sql: Queryable, { conditions, afterUuid }: Walk): Streams {
  const { providers = ALL_PROVIDER_CODES, platforms = ALL_PLATFORM_CODES } = conditions
  return {
    keys: sql`
      unnest(${[...providers]}::smallint[]) as provider (code),
      unnest(${[...platforms]}::smallint[]) as platform (code)`,
    stream: sql`
      select d.id from devices d
      where d.provider = provider.code and d.platform = platform.code and d.id > ${afterUuid}`,
  }
}

/** The streams of the users, with the devices that match the other conditions. */
function walkUsers(sql: Queryable, columns: Fragment, walk: Walk, users: readonly string[]): Fragment {
  const { keys, stream } = streamUsers(sql, users, walk.afterUuid)
  const others = deviceColumnsMatch(sql, { ...walk.conditions, users: undefined })
  return mergeStreams(sql, columns, walk, { keys, stream: sql`${stream} and ${others}` })
}

/** Takes up to `limit` ids of each stream, then the first `limit` of all of them, and reads only their columns. */
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

// Reads matching devices in the order of their ids, page by page, for fan-out and device_list. Each page must be quick,
// wherever it starts and however many devices match. So it is merged from streams. A stream is a range of an index with
// ids in order; there is one for each selected topic, user, or pair of provider and platform. Without streams the
// planner would read the table in the order of ids until it has found enough matching devices, which is slow if they
// are rare, or if all of them were registered late.
import type { Fragment, Queryable } from '../database/pool.ts'
import { ALL_PLATFORM_CODES, ALL_PROVIDER_CODES } from './codes.ts'
import { type DeviceConditions, deviceColumnsMatch, deviceMatches } from './device-filter.ts'

/** One page of a walk over the devices that match the conditions. */
export interface Walk {
  conditions: DeviceConditions
  /** The uuid of the last device of the previous page. */
  afterUuid: string
  limit: number
}

/** The SQL query for a page of devices. @param columns columns of the row `d` of devices; must include `d.id` */
export function walkDevices(sql: Queryable, columns: Fragment, walk: Walk): Fragment {
  const { ids, topicIds, users, providers, platforms } = walk.conditions
  const hasKinds = providers !== undefined || platforms !== undefined
  if (ids) return walkTable(sql, columns, walk)
  if (topicIds) return walkTopics(sql, columns, walk, topicIds)
  // With one user, PostgreSQL's statistics tell how frequent this user and one kind (provider and platform) are, so the
  // planner can read the rarer one of the two.
  if (users && hasKinds && users.length === 1) return walkTable(sql, columns, walk)
  if (users) return walkUsers(sql, columns, walk, users)
  return hasKinds ? mergeStreams(sql, columns, walk, streamKinds(sql, walk)) : walkTable(sql, columns, walk)
}

/**
 * The SQL query for the ids of a page. If a single topic is the only condition, the index of the topic's devices is
 * enough.
 */
export function walkIds(sql: Queryable, walk: Walk): Fragment {
  const topicId = findOnlyTopic(walk.conditions)
  if (topicId === undefined) return walkDevices(sql, sql`d.id`, walk)
  return sql`
    select t.device_id as id from device_topics t
    where t.topic_id = ${topicId} and t.device_id > ${walk.afterUuid}
    order by t.device_id
    limit ${walk.limit}`
}

/** The rows of all devices that match, as `from …` of a query that counts them. */
export function fromMatching(sql: Queryable, conditions: DeviceConditions): Fragment {
  const topicId = findOnlyTopic(conditions)
  if (topicId !== undefined) return sql`from device_topics t where t.topic_id = ${topicId}`
  return sql`from devices d where ${deviceMatches(sql, conditions)}`
}

/** The topic, if a single one is the only condition. */
function findOnlyTopic({ topicIds, ...others }: DeviceConditions): number | undefined {
  const isOnly = topicIds?.length === 1 && Object.values(others).every((values) => values === undefined)
  return isOnly ? topicIds[0] : undefined
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
  // The start is given for both tables, although one follows from the other: then both are read in the order of ids
  // from there, and merged. Otherwise each page would read one of the tables from its beginning.
  return sql`
    select ${columns} from device_topics t join devices d on d.id = t.device_id
    where t.topic_id = ${topicId} and ${startsAt(sql, sql`t.device_id`, walk)} and ${startsAt(sql, sql`d.id`, walk)}
      and ${deviceColumnsMatch(sql, walk.conditions)}
    order by d.id
    limit ${walk.limit}`
}

/**
 * The condition where the page starts: at the first id after the previous page that one of the selected topics, users
 * and kinds has. A million other devices may be between the two.
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

/**
 * The SQL expression for the first id of all streams. It is null if there is no id, and then no comparison with it is
 * true.
 */
function selectFirst(sql: Queryable, { keys, stream }: Streams): Fragment {
  return sql`(
    select first.id
    from ${keys} cross join lateral (select s.id from (${stream}) as s order by s.id limit 1) as first
    order by first.id
    limit 1
  )`
}

/**
 * The streams from which a page of devices is merged. For each key (a topic, a user, or a provider with a platform) a
 * stream is one range of an index, in the order of device ids.
 */
interface Streams {
  keys: Fragment
  /**
   * The SQL query for one stream; it refers to the columns of the stream's key as `key.…`, or for kinds `provider.code`
   * and `platform.code`.
   */
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

/** The streams of the kinds. A kind is a pair of provider and platform. */
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

/** The SQL query for a page of the users' devices that match the other conditions: a stream for each user. */
function walkUsers(sql: Queryable, columns: Fragment, walk: Walk, users: readonly string[]): Fragment {
  const { keys, stream } = streamUsers(sql, users, walk.afterUuid)
  const others = deviceColumnsMatch(sql, { ...walk.conditions, users: undefined })
  return mergeStreams(sql, columns, walk, { keys, stream: sql`${stream} and ${others}` })
}

/**
 * The SQL query that merges streams (index ranges with ids in order): it takes up to `limit` ids of each, then the
 * first `limit` ids of all, and reads the columns only of these devices.
 */
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

// The list of the API method device_topic_list.
import * as v from 'valibot'
import type { Fragment, Queryable, Sql } from '../database/pool.ts'
import type { DeviceFilter } from '../sends/recipient.ts'
import { type Device, deviceColumns, readDevice } from './device.ts'
import { type DeviceConditions, deviceColumnsMatch, resolveFilter } from './device-filter.ts'
import { FIRST_UUID } from './device-id.ts'
import { parseId } from './field-checks.ts'
import { countRows, EMPTY_PAGE, type ListPage, makePage, type Page, readLimit } from './list-page.ts'
import { formatTopicCursor, parseTopicCursor } from './topic-cursor.ts'
import {
  resolveTopicFilter,
  selectsAllTopics,
  type TopicConditions,
  type TopicFilter,
  topicMatches,
  topicsInOrder,
} from './topic-filter.ts'

/** A request for a page of subscriptions. */
export interface DeviceTopicQuery extends Page {
  devices: Omit<DeviceFilter, 'topics'>
  topics: TopicFilter
}

/** The subscription of one device to one topic. */
export interface DeviceTopic {
  /** The id of the subscription, which is also its cursor in the list. */
  id: string
  topic: string
  /** The device, without its topics, meta and Web Push keys. */
  device: Device
}

/**
 * A page of subscriptions in the order of their ids: first by the time at which the topic was first used, then by
 * device.
 * @throws ApiError badRequest
 */
export async function listDeviceTopics(sql: Sql, query: DeviceTopicQuery): Promise<ListPage<DeviceTopic>> {
  const limit = readLimit(query.limit)
  const after = parseCursor(query.cursor)
  const [conditions, topics] = await Promise.all([
    resolveFilter(sql, { ...query.devices, topics: [] }),
    resolveTopicFilter(sql, query.topics),
  ])
  if (!conditions || !topics) return EMPTY_PAGE
  const from = sql`
    from device_topics t join topics on topics.id = t.topic_id join devices d on d.id = t.device_id
    where ${topicMatches(sql, topics, sql`t.topic_id`)} and ${deviceColumnsMatch(sql, conditions)}`
  const hasFewDevices = conditions.ids !== undefined || conditions.users !== undefined
  const [items, totalCount] = await Promise.all([
    selectPage(
      sql,
      hasFewDevices || selectsAllTopics(topics)
        ? // The last condition follows from the one before. Without it, the topics may be read from the first one on.
          sql`${from} and (t.topic_id, t.device_id) > (${after.topicId}, ${after.uuid}) and topics.id >= ${after.topicId}`
        : walkTopics(sql, { topics, conditions, after, limit }),
      limit,
    ),
    countRows(sql, from, query.includeTotalCount),
  ])
  return makePage(items, limit, totalCount)
}

/** The subscriptions to some topics, of each topic at most those that fill a page. */
function walkTopics(
  sql: Sql,
  query: { topics: TopicConditions; conditions: DeviceConditions; after: TopicPosition; limit: number },
): Fragment {
  const { topics, conditions, after, limit } = query
  const start = sql`case when topics.id = ${after.topicId} then ${after.uuid} else ${FIRST_UUID} end::uuid`
  // The planner does not know how many devices a topic has. If it estimates a few, it reads all of them and sorts, or
  // reads all devices in the order of ids. So a topic is a range of the index here, for which it estimates many rows,
  // and the inner limit makes it read each device by its id.
  return sql`
    from ${topicsInOrder(sql, topics, after.topicId)}
    cross join lateral (
      select d.*
      from device_topics t
      cross join lateral (
        select * from devices d where d.id = t.device_id and ${deviceColumnsMatch(sql, conditions)} limit 1
      ) as d
      where (t.topic_id, t.device_id) > (topics.id, ${start}) and t.topic_id <= topics.id
      order by t.topic_id, t.device_id limit ${limit + 1}
    ) as d`
}

/** The subscription behind which a page begins. */
interface TopicPosition {
  topicId: number
  uuid: string
}

function parseCursor(cursor: string): TopicPosition {
  if (cursor === '') return { topicId: 0, uuid: FIRST_UUID }
  const { topicId, owner } = parseTopicCursor(cursor)
  return { topicId, uuid: parseId('cursor', owner).uuid }
}

const TopicColumns = v.object({ topic_id: v.number(), topic: v.string() })

async function selectPage(sql: Queryable, from: Fragment, limit: number): Promise<DeviceTopic[]> {
  const rows = await sql`
    select topics.id as topic_id, topics.name as topic, ${deviceColumns(sql, { meta: false, webPushKeys: false })} ${from}
    order by topics.id, d.id
    limit ${limit + 1}`
  return rows.map((row) => {
    const { topic_id: topicId, topic } = v.parse(TopicColumns, row)
    const { device } = readDevice(row)
    return { id: formatTopicCursor({ topicId, owner: device.id }), topic, device }
  })
}

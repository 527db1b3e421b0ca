// Devices in the order of their ids, page by page: what fan-out and device_list read. A page's cost does not depend on
// where it starts, because each query is bounded by the last id from below, never by an offset.
import type { Fragment, Queryable } from '../database/pool.ts'
import { type DeviceConditions, deviceColumnsMatch } from './device-filter.ts'

export interface Walk {
  conditions: DeviceConditions
  /** The last device of the page before. */
  afterUuid: string
  limit: number
}

/** A query for a page: `columns` of the row `d` of devices, among them `d.id`, each device once. */
export function walkDevices(sql: Queryable, columns: Fragment, walk: Walk): Fragment {
  const { topicIds } = walk.conditions
  if (!topicIds) return walkTable(sql, columns, walk)
  const [topicId] = topicIds
  if (topicIds.length === 1 && topicId !== undefined) return walkTopic(sql, columns, walk, sql`${topicId}`)
  // Each topic for itself, so that each is one walk of an index, and as many of each as the page could hold.
  return sql`
    select distinct on (page.id) page.*
    from unnest(${topicIds}::int[]) as topic (id)
    cross join lateral (${walkTopic(sql, columns, walk, sql`topic.id`)}) as page
    order by page.id
    limit ${walk.limit}`
}

function walkTable(sql: Queryable, columns: Fragment, { conditions, afterUuid, limit }: Walk): Fragment {
  return sql`
    select ${columns} from devices d
    where d.id > ${afterUuid} and ${deviceColumnsMatch(sql, conditions)}
    order by d.id
    limit ${limit}`
}

function walkTopic(sql: Queryable, columns: Fragment, walk: Walk, topicId: Fragment): Fragment {
  // The bound is stated for both tables, though one follows from the other: with it both are read in order and merged,
  // without it every page reads one of them from its start.
  return sql`
    select ${columns} from device_topics t join devices d on d.id = t.device_id
    where t.topic_id = ${topicId} and t.device_id > ${walk.afterUuid} and d.id > ${walk.afterUuid}
      and ${deviceColumnsMatch(sql, walk.conditions)}
    order by d.id
    limit ${walk.limit}`
}

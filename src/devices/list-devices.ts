// The list of the API method device_list.
import * as v from 'valibot'
import type { Queryable, Sql } from '../database/pool.ts'
import type { DeviceFilter } from '../sends/recipient.ts'
import { type Device, type DeviceParts, deviceColumns, readDevice } from './device.ts'
import { resolveFilter } from './device-filter.ts'
import { FIRST_UUID } from './device-id.ts'
import { fromMatching, walkDevices } from './device-walk.ts'
import { parseId } from './field-checks.ts'
import { countRows, EMPTY_PAGE, type ListPage, makePage, type Page, readLimit } from './list-page.ts'

/** A request for a page of devices. */
export interface DeviceQuery extends Page {
  filter: DeviceFilter
  include: DeviceParts & { topics: boolean }
}

/**
 * A page of the devices that match, in the order of their ids. The cursor is the id of a device.
 * @throws ApiError badRequest
 */
export async function listDevices(sql: Sql, query: DeviceQuery): Promise<ListPage<Device>> {
  const limit = readLimit(query.limit)
  const afterUuid = query.cursor === '' ? FIRST_UUID : parseId('cursor', query.cursor).uuid
  const conditions = await resolveFilter(sql, query.filter)
  if (!conditions) return EMPTY_PAGE
  const [rows, totalCount] = await Promise.all([
    sql`${walkDevices(sql, deviceColumns(sql, query.include), { conditions, afterUuid, limit: limit + 1 })}`,
    countRows(sql, fromMatching(sql, conditions), query.includeTotalCount),
  ])
  const read = rows.map(readDevice)
  const topics = query.include.topics
    ? await selectTopics(
        sql,
        read.map(({ uuid }) => uuid),
      )
    : undefined
  const items = read.map(({ uuid, device }) => ({ ...device, topics: topics?.get(uuid) ?? [] }))
  return makePage(items, limit, totalCount)
}

const TopicsRow = v.object({ device_id: v.string(), names: v.array(v.string()) })

async function selectTopics(sql: Queryable, uuids: string[]): Promise<Map<string, string[]>> {
  const rows = await sql`
    select t.device_id, array_agg(topics.name order by topics.name) as names
    from device_topics t join topics on topics.id = t.topic_id
    where t.device_id = any(${uuids}::uuid[])
    group by t.device_id`
  return new Map(rows.map((row) => v.parse(TopicsRow, row)).map(({ device_id, names }) => [device_id, names]))
}

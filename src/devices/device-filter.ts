// The devices that a request selects: a device matches a field by any of its values, and it must match all fields.
import { isProviderName } from '../config/provider-names.ts'
import type { Fragment, Queryable } from '../database/pool.ts'
import { ApiError } from '../protocol/errors.ts'
import type { DeviceFilter } from '../sends/recipient.ts'
import { ALL_PLATFORM_CODES, ALL_PROVIDER_CODES, encodePlatform, encodeProvider, isPlatformName } from './codes.ts'
import { type DeviceId, parseDeviceId } from './device-id.ts'
import { checkList, checkTopic, checkUser, parseId, parsePlatform, parseProvider } from './field-checks.ts'
import { selectTopicIds } from './topic-names.ts'

const EVERY_DEVICE: DeviceFilter = { ids: [], users: [], topics: [], providers: [], platforms: [] }

/** A filter with the values of the tables. An undefined field is no condition. */
export interface DeviceConditions {
  ids: DeviceId[] | undefined
  users: string[] | undefined
  topicIds: number[] | undefined
  providers: number[] | undefined
  platforms: number[] | undefined
}

/**
 * Checks the values of a filter. An absent filter selects all devices.
 * @param prefix of the field names in errors
 * @throws ApiError badRequest
 */
export function parseDeviceFilter(filter: DeviceFilter = EVERY_DEVICE, prefix = 'filter.'): DeviceFilter {
  checkList(`${prefix}ids`, filter.ids, parseId)
  checkList(`${prefix}users`, filter.users, checkUser)
  checkList(`${prefix}topics`, filter.topics, checkTopic)
  checkList(`${prefix}providers`, filter.providers, parseProvider)
  checkList(`${prefix}platforms`, filter.platforms, parsePlatform)
  return filter
}

/** The selection of an update or a removal. @throws ApiError badRequest if it is empty: it never selects all devices */
export function parseDeviceSelection({ ids, users }: Pick<DeviceFilter, 'ids' | 'users'>): DeviceFilter {
  if (ids.length === 0 && users.length === 0) throw new ApiError('badRequest', 'ids, users: one of them is required')
  checkList('ids', ids, parseId)
  checkList('users', users, checkUser)
  return { ...EVERY_DEVICE, ids, users }
}

/** The conditions of a filter; undefined if no device can match, because a field has only unknown values. */
export async function resolveFilter(sql: Queryable, filter: DeviceFilter): Promise<DeviceConditions | undefined> {
  const topicIds = filter.topics.length === 0 ? undefined : await selectTopicIds(sql, filter.topics)
  const conditions = {
    ids: mapGiven(filter.ids, parseDeviceId),
    users: mapGiven(filter.users, (user) => user),
    topicIds: topicIds && [...topicIds.values()],
    providers: withoutAll(mapGiven(filter.providers, encodeKnownProvider), ALL_PROVIDER_CODES),
    platforms: withoutAll(mapGiven(filter.platforms, encodeKnownPlatform), ALL_PLATFORM_CODES),
  }
  const isImpossible = Object.values(conditions).some((values) => values?.length === 0)
  return isImpossible ? undefined : conditions
}

function mapGiven<T>(values: readonly string[], map: (value: string) => T | undefined): T[] | undefined {
  if (values.length === 0) return undefined
  return [...new Set(values)].map(map).filter((value) => value !== undefined)
}

function encodeKnownProvider(name: string): number | undefined {
  return isProviderName(name) ? encodeProvider(name) : undefined
}

function encodeKnownPlatform(name: string): number | undefined {
  return isPlatformName(name) ? encodePlatform(name) : undefined
}

/** All codes are no condition: a send to everyone names the four providers. */
function withoutAll(codes: number[] | undefined, all: readonly number[]): number[] | undefined {
  return codes?.length === all.length ? undefined : codes
}

/** The SQL condition for the row `d` of devices, without its topics. */
export function deviceColumnsMatch(sql: Queryable, { ids, users, providers, platforms }: DeviceConditions): Fragment {
  const all = [sql`true`]
  if (ids) {
    // The provider is compared too: an id with another provider's name is not the id of this device.
    const uuids = ids.map(({ uuid }) => uuid)
    const codes = ids.map(({ provider }) => encodeProvider(provider))
    all.push(sql`(d.id = any(${uuids}::uuid[]) and (d.id, d.provider) in (
      select * from unnest(${uuids}::uuid[], ${codes}::smallint[])))`)
  }
  if (users) all.push(matchUsers(sql, users))
  if (providers) all.push(matchCodes(sql, sql`d.provider`, providers))
  if (platforms) all.push(matchCodes(sql, sql`d.platform`, platforms))
  return all.reduce((conditions, condition) => sql`${conditions} and ${condition}`)
}

/** The SQL condition for the row `d` of devices. */
export function deviceMatches(sql: Queryable, conditions: DeviceConditions): Fragment {
  const columns = deviceColumnsMatch(sql, conditions)
  if (!conditions.topicIds) return columns
  return sql`${columns} and exists (
    select from device_topics s where s.device_id = d.id and s.topic_id = any(${conditions.topicIds}::int[]))`
}

// A single value is compared with `=`, so an index on that column and the id returns the rows in the order of ids.

function matchUsers(sql: Queryable, users: readonly string[]): Fragment {
  const [user] = users
  return users.length === 1 && user !== undefined
    ? sql`d.user_id = ${user}`
    : sql`d.user_id = any(${[...users]}::text[])`
}

function matchCodes(sql: Queryable, column: Fragment, codes: readonly number[]): Fragment {
  const [code] = codes
  return codes.length === 1 && code !== undefined
    ? sql`${column} = ${code}`
    : sql`${column} = any(${[...codes]}::smallint[])`
}

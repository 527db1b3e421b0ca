// Filters that select devices. A device matches a field of the filter if it matches any of the field's values, and it
// must match all fields.
import { isProviderName } from '../config/provider-names.ts'
import type { Fragment, Queryable } from '../database/pool.ts'
import { ApiError } from '../protocol/errors.ts'
import type { DeviceFilter } from '../sends/recipient.ts'
import { ALL_PLATFORM_CODES, ALL_PROVIDER_CODES, encodePlatform, encodeProvider, isPlatformName } from './codes.ts'
import { type DeviceId, parseDeviceId } from './device-id.ts'
import { checkList, checkTopic, checkUser, parseId, parsePlatform, parseProvider } from './field-checks.ts'
import { selectTopicIds } from './topic-names.ts'

const EVERY_DEVICE: DeviceFilter = { ids: [], users: [], topics: [], providers: [], platforms: [] }

/** A filter with the values that the tables have: uuids and codes. An undefined field matches all devices. */
export interface DeviceConditions {
  ids: DeviceId[] | undefined
  users: string[] | undefined
  topicIds: number[] | undefined
  providers: number[] | undefined
  platforms: number[] | undefined
}

/**
 * Checks the values of a filter. A request without a filter selects all devices.
 * @param prefix the beginning of the field names in errors
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

/**
 * The devices that an update or a removal selects.
 * @throws ApiError badRequest if the request has neither ids nor users, because these requests never select all devices
 */
export function parseDeviceSelection({ ids, users }: Pick<DeviceFilter, 'ids' | 'users'>): DeviceFilter {
  if (ids.length === 0 && users.length === 0) throw new ApiError('badRequest', 'ids, users: one of them is required')
  checkList('ids', ids, parseId)
  checkList('users', users, checkUser)
  return { ...EVERY_DEVICE, ids, users }
}

/**
 * Converts a filter to the values of the tables; undefined if no device can match, because all values of a field are
 * unknown.
 */
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

/**
 * A list of all codes selects every device, so it is replaced by undefined: a send to everyone names all four
 * providers.
 */
function withoutAll(codes: number[] | undefined, all: readonly number[]): number[] | undefined {
  return codes?.length === all.length ? undefined : codes
}

/** The SQL condition that a row `d` of devices matches the filter, apart from the filter's topics. */
export function deviceColumnsMatch(sql: Queryable, { ids, users, providers, platforms }: DeviceConditions): Fragment {
  const all = [sql`true`]
  if (ids) {
    // The provider is compared too: if the id names another provider than the stored device, it is not that device's
    // id.
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

/** The SQL condition that a row `d` of devices matches the filter. */
export function deviceMatches(sql: Queryable, conditions: DeviceConditions): Fragment {
  const columns = deviceColumnsMatch(sql, conditions)
  if (!conditions.topicIds) return columns
  return sql`${columns} and exists (
    select from device_topics s where s.device_id = d.id and s.topic_id = any(${conditions.topicIds}::int[]))`
}

// A single user is compared with `=`: then an index on the user and the id returns the rows in the order of ids.

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

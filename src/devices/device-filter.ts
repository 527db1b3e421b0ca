// Which devices a request means: within one field any of the values, between fields all of them.
import { isProviderName } from '../config/provider-names.ts'
import type { Fragment, Queryable } from '../database/pool.ts'
import { ApiError } from '../protocol/errors.ts'
import { ALL_PLATFORM_CODES, ALL_PROVIDER_CODES, encodePlatform, encodeProvider, isPlatformName } from './codes.ts'
import { type DeviceId, parseDeviceId } from './device-id.ts'
import { checkList, checkTopic, checkUser, parseId, parsePlatform, parseProvider } from './field-checks.ts'
import { selectTopicIds } from './topic-names.ts'

/** As the API has it. An empty list asks for nothing. */
export interface DeviceFilter {
  ids: readonly string[]
  users: readonly string[]
  topics: readonly string[]
  providers: readonly string[]
  platforms: readonly string[]
}

const EVERY_DEVICE: DeviceFilter = { ids: [], users: [], topics: [], providers: [], platforms: [] }

/** A filter in the terms of the tables; undefined for a field that asks for nothing. */
export interface DeviceConditions {
  ids: DeviceId[] | undefined
  users: string[] | undefined
  topicIds: number[] | undefined
  providers: number[] | undefined
  platforms: number[] | undefined
}

/**
 * Checks the values of a filter; an absent one means every device.
 * @param prefix of the fields' names in errors
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

/** The devices that an update or a removal means. @throws ApiError badRequest for none: it never means all of them */
export function parseDeviceSelection({ ids, users }: Pick<DeviceFilter, 'ids' | 'users'>): DeviceFilter {
  if (ids.length === 0 && users.length === 0) throw new ApiError('badRequest', 'ids, users: one of them is needed')
  checkList('ids', ids, parseId)
  checkList('users', users, checkUser)
  return { ...EVERY_DEVICE, ids, users }
}

/** Undefined when no device can match, because a field has only values that none has. */
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

/** All of them are no condition: a send to everyone names the four providers. */
function withoutAll(codes: number[] | undefined, all: readonly number[]): number[] | undefined {
  return codes?.length === all.length ? undefined : codes
}

/** What follows `where` for the row `d` of devices, but for its topics. */
export function deviceColumnsMatch(sql: Queryable, { ids, users, providers, platforms }: DeviceConditions): Fragment {
  const all = [sql`true`]
  if (ids) {
    // The provider too: an id of one provider does not name another one's device.
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

/** What follows `where` for the row `d` of devices. */
export function deviceMatches(sql: Queryable, conditions: DeviceConditions): Fragment {
  const columns = deviceColumnsMatch(sql, conditions)
  if (!conditions.topicIds) return columns
  return sql`${columns} and exists (
    select from device_topics s where s.device_id = d.id and s.topic_id = any(${conditions.topicIds}::int[]))`
}

// A single value is compared by `=`: then an index that goes on with the id gives the rows in its order.

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

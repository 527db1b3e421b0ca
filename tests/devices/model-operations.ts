// Random requests with few different values, so that they often have the same tokens, users and topics.
import { createECDH } from 'node:crypto'
import { fc } from '../support/fast-check.ts'
import type * as model from './model.ts'

/**
 * A request that names devices by numbers, because their ids are known only while a sequence runs. See DeviceIds.
 */
type Unresolved<Request> = {
  [Key in keyof Request]: Key extends 'id' | 'device_id'
    ? number | Exclude<Request[Key], string>
    : Key extends 'ids' | 'device_ids'
      ? readonly number[] | Exclude<Request[Key], readonly string[]>
      : Key extends 'filter'
        ? Unresolved<Request[Key]>
        : Request[Key]
}

/** A call of one method. Lists are read in pages of `limit`. */
export type Operation =
  | { method: 'register'; request: Unresolved<model.RegisterRequest> }
  | { method: 'update'; request: Unresolved<model.UpdateRequest> }
  | { method: 'remove'; request: Unresolved<model.RemoveRequest> }
  | { method: 'updateTopics'; request: Unresolved<model.DeviceTopicUpdateRequest> }
  | { method: 'updateUser'; request: model.UserTopicUpdateRequest }
  | { method: 'list'; request: Unresolved<model.ListRequest>; limit: number }
  | { method: 'listTopics'; request: Unresolved<model.DeviceTopicListRequest>; limit: number }
  | { method: 'listUsers'; request: model.UserTopicListRequest; limit: number }

/** Ids that no server has created. Two of them have the same ULID. */
const UNKNOWN_IDS = ['fcm', 'apns', 'webpush'].map((provider) => `01ARZ3NDEKTSV4RRFFQ69G5FAV-${provider}`)
const ID_COUNT = 12

/** The ids for the numbers in requests: unknown ones, then known ones, and one with a wrong provider at the end. */
export class DeviceIds {
  readonly #known: string[] = []

  /** The ids in results. Requests can name the first ones. */
  add(id: string): void {
    if (!this.#known.includes(id)) this.#known.push(id)
  }

  at(index: number): string {
    const unknown = UNKNOWN_IDS[index]
    if (unknown !== undefined) return unknown
    const known = this.#known[(index - UNKNOWN_IDS.length) % Math.max(this.#known.length, 1)]
    if (known === undefined) return this.at(0)
    return index === ID_COUNT - 1 ? known.replace(/-.*/, known.endsWith('-fcm') ? '-hms' : '-fcm') : known
  }
}

const id = fc.nat({ max: ID_COUNT - 1 })
const topic = fc.constantFrom('a', 'ab', 'a%', 'a_', 'b')
const topics = fc.uniqueArray(topic, { maxLength: 3 })
const user = fc.constantFrom('u', '', '%')
const prefix = fc.constantFrom('a', 'a_', 'a%', '%', '_', 'b', '')
const timezone = fc.constantFrom('', 'UTC')
const locale = fc.constantFrom('', 'en')
const meta = fc.constantFrom<Record<string, string>>({}, { k: 'v' }, { '%': '_' })
const platform = fc.constantFrom('android', 'ios', 'web')
const provider = fc.constantFrom('fcm', 'apns', 'hms', 'webpush')
// 'put' is an invalid operation.
const op = fc.oneof({ weight: 9, arbitrary: fc.constantFrom('add', 'remove', 'set') }, fc.constant('put'))

const keys = {
  p256dh: createECDH('prime256v1').generateKeys('base64url'),
  auth: Buffer.alloc(16, 1).toString('base64url'),
}
const subscription = fc
  .constantFrom('a', 'b')
  .map((name) => JSON.stringify({ endpoint: `https://push.example.com/${name}`, keys }))
const address = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ provider: fc.constantFrom('fcm', 'fcm', 'hms'), token: fc.constantFrom('s', 't', '%') }),
  },
  fc.record({ provider: fc.constant('webpush'), token: subscription }),
)

const register = fc
  .tuple(address, fc.record({ platform }), optional({ id, user, topics, timezone, locale, meta }))
  .map(([to, where, rest]) => ({ ...to, ...where, ...rest }))
const selection = { ids: fc.uniqueArray(id, { maxLength: 3 }), users: fc.uniqueArray(user, { maxLength: 2 }) }
const few = (values: fc.Arbitrary<string>) => fc.uniqueArray(values, { maxLength: 2 })

/** A random selection of the fields. */
function optional<Fields extends object>(fields: { [Key in keyof Fields]: fc.Arbitrary<Fields[Key]> }) {
  return fc.record(fields, { requiredKeys: [] })
}

const update = optional({
  ...selection,
  user_update: fc.record({ user }),
  timezone_update: fc.record({ timezone }),
  locale_update: fc.record({ locale }),
  meta_update: fc.record({ meta }),
  topics_update: fc.record({ op, topics }),
})
const updateTopics = fc.record({ device_id: id, op, topics, user }, { requiredKeys: ['device_id', 'op'] })
const updateUser = fc.record({ user, op, topics }, { requiredKeys: ['op'] })

const list = optional({
  filter: optional({ ...selection, topics, providers: few(provider), platforms: few(platform) }),
  include_topics: fc.boolean(),
  include_meta: fc.boolean(),
  include_webpush_keys: fc.boolean(),
})
const listTopics = optional({
  filter: optional({
    device_ids: selection.ids,
    device_users: selection.users,
    device_providers: few(provider),
    device_platforms: few(platform),
    topics,
    topic_prefix: prefix,
  }),
  include_device: fc.boolean(),
})
const listUsers = optional({ filter: optional({ users: selection.users, topics, topic_prefix: prefix }) })
const limit = fc.constantFrom(0, 1, 2, 3)

/** One call. Registrations and changes of topics are more frequent than others. */
export const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ method: fc.constant('register' as const), request: register }) },
  { weight: 3, arbitrary: fc.record({ method: fc.constant('updateUser' as const), request: updateUser }) },
  { weight: 2, arbitrary: fc.record({ method: fc.constant('updateTopics' as const), request: updateTopics }) },
  { weight: 2, arbitrary: fc.record({ method: fc.constant('update' as const), request: update }) },
  { weight: 1, arbitrary: fc.record({ method: fc.constant('remove' as const), request: optional(selection) }) },
  { weight: 2, arbitrary: fc.record({ method: fc.constant('list' as const), request: list, limit }) },
  { weight: 2, arbitrary: fc.record({ method: fc.constant('listTopics' as const), request: listTopics, limit }) },
  { weight: 1, arbitrary: fc.record({ method: fc.constant('listUsers' as const), request: listUsers, limit }) },
)

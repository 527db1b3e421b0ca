// The device and topic methods with the view of a caller: a request as JSON, and a result as JSON or the kind of an
// error.

import { parseDeviceId } from '../../src/devices/device-id.ts'
import { DeviceStore } from '../../src/devices/device-store.ts'
import { makeEndpointCheck } from '../../src/devices/web-push-endpoint.ts'
import { makeDeviceList } from '../../src/methods/device-list.ts'
import { makeDeviceRegister } from '../../src/methods/device-register.ts'
import { makeDeviceRemove } from '../../src/methods/device-remove.ts'
import { makeDeviceTopicList } from '../../src/methods/device-topic-list.ts'
import { makeDeviceTopicUpdate } from '../../src/methods/device-topic-update.ts'
import { makeDeviceUpdate } from '../../src/methods/device-update.ts'
import { makeUserTopicList } from '../../src/methods/user-topic-list.ts'
import { makeUserTopicUpdate } from '../../src/methods/user-topic-update.ts'
import { decodeMessage } from '../../src/protocol/decode-message.ts'
import { ApiError } from '../../src/protocol/errors.ts'
import * as push from '../../src/protocol/requests/push.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { TOKEN_MARK } from '../support/run-log.ts'

type Json = Record<string, unknown>

export interface ListedDevice {
  id: string
  provider: string
  platform: string
  token: string
  user?: string
  topics?: string[]
  meta?: Record<string, string>
  timezone?: string
  locale?: string
  webpush_keys?: string
  created_at: number
  updated_at: number
}

interface List<Item> {
  items: Item[]
  next_cursor?: string
  total_count?: number
}

/**
 * A new database, a store on it, and the eight methods on the store. Ids have the order of their registrations, because
 * the clock of the store moves by a millisecond with each.
 */
export async function openDevices(Store = DeviceStore) {
  const database = await createTestDatabase()
  let nowMs = Date.now()
  const store = new Store({ sql: database.sql, now: () => nowMs++ })
  return { ...database, store, ...methodsOf(store) }
}

export type Devices = TestDatabase & { store: DeviceStore } & ReturnType<typeof methodsOf>

/** The eight methods on a store. */
export function methodsOf(store: DeviceStore) {
  const register = bind<{ id: string }>(
    push.DeviceRegisterRequest,
    makeDeviceRegister(store, makeEndpointCheck(ORIGINS)),
  )
  const list = bind<List<ListedDevice>>(push.DeviceListRequest, makeDeviceList(store))
  return {
    register: async (request: Json = {}) => (await register(withDefaults(request))).id,
    update: bind(push.DeviceUpdateRequest, makeDeviceUpdate(store)),
    remove: bind(push.DeviceRemoveRequest, makeDeviceRemove(store)),
    list,
    updateTopics: bind(push.DeviceTopicUpdateRequest, makeDeviceTopicUpdate(store)),
    listTopics: bind<List<{ id: string; device_id: string; topic: string; device: Partial<ListedDevice> }>>(
      push.DeviceTopicListRequest,
      makeDeviceTopicList(store),
    ),
    updateUser: bind(push.UserTopicUpdateRequest, makeUserTopicUpdate(store)),
    listUsers: bind<List<{ id: string; user?: string; topic: string }>>(
      push.UserTopicListRequest,
      makeUserTopicList(store),
    ),
    /** All fields of a device in device_list; undefined if there is no such device. */
    find: async (id: string) => {
      const { items } = await list({
        filter: { ids: [id] },
        include_topics: true,
        include_meta: true,
        include_webpush_keys: true,
      })
      return items[0]
    },
  }
}

/** The push services of browsers and one more. */
const ORIGINS = { allowed_endpoint_origins: [], extra_allowed_endpoint_origins: ['https://push.example.com'] }

let tokens = 0

/** A token that no other device of this run has. */
export function newToken(): string {
  return `${TOKEN_MARK}-${tokens++}`
}

function withDefaults(request: Json): Json {
  return { provider: 'fcm', platform: 'android', token: newToken(), ...request }
}

function bind<Result = object>(
  schema: Parameters<typeof decodeMessage>[0],
  handle: (request: never) => Promise<object>,
): (request: Json) => Promise<Result> {
  return async (request) => {
    // The schema belongs to this method, so its output is the input of the method.
    const result = await handle(decodeMessage(schema, Buffer.from(JSON.stringify(request))) as never)
    // The JSON that a client reads. The tests compare it field by field.
    return JSON.parse(JSON.stringify(result)) as Result
  }
}

/** The uuid of a device, which its target has. */
export function uuidOf(id: string): string {
  const { uuid } = parseDeviceId(id) ?? {}
  if (uuid === undefined) throw new Error(`not a device id: ${id}`)
  return uuid
}

/** The kind of the ApiError of `call`; 'none' if it succeeds. */
export async function errorKind(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'none'
  } catch (error) {
    if (error instanceof ApiError) return error.kind
    throw error
  }
}

// The promises of the eight methods in their simplest form: devices and lists of topics in memory. Requests and results
// are those of the wire, with optional fields, so a test can send the same requests to the model and to the server.
import { ApiError } from '../../src/protocol/errors.ts'

type Texts = readonly string[]

export interface RegisterRequest {
  id?: string
  provider: string
  platform: string
  token: string
  user?: string
  topics?: Texts
  timezone?: string
  locale?: string
  meta?: Record<string, string>
}

interface TopicChange {
  op: string
  topics?: Texts
}

export interface UpdateRequest {
  ids?: Texts
  users?: Texts
  user_update?: { user?: string }
  timezone_update?: { timezone?: string }
  locale_update?: { locale?: string }
  meta_update?: { meta?: Record<string, string> }
  topics_update?: TopicChange
}

export type RemoveRequest = Pick<UpdateRequest, 'ids' | 'users'>
export type DeviceTopicUpdateRequest = TopicChange & { device_id: string; user?: string }
export type UserTopicUpdateRequest = TopicChange & { user?: string }

export interface ListRequest {
  filter?: { ids?: Texts; users?: Texts; topics?: Texts; providers?: Texts; platforms?: Texts }
  include_topics?: boolean
  include_meta?: boolean
  include_webpush_keys?: boolean
}

export interface DeviceTopicListRequest {
  filter?: {
    device_ids?: Texts
    device_users?: Texts
    device_providers?: Texts
    device_platforms?: Texts
    topics?: Texts
    topic_prefix?: string
  }
  include_device?: boolean
}

export interface UserTopicListRequest {
  filter?: { users?: Texts; topics?: Texts; topic_prefix?: string }
}

interface ModelDevice {
  id: string
  provider: string
  platform: string
  token: string
  webPushKeys: string
  user: string
  timezone: string
  locale: string
  meta: Record<string, string>
  topics: Set<string>
}

/** Lists return all matching items, without an order, cursors and times. */
export class DeviceModel {
  readonly #devices = new Map<string, ModelDevice>()
  readonly #userTopics = new Map<string, Set<string>>()

  /** @param newId the id in the server's result, because only the server can choose it */
  register(request: RegisterRequest, newId: string): { id: string } {
    const { provider, platform, user = '', timezone = '', locale = '', meta = {} } = request
    const { token, webPushKeys } = readToken(provider, request.token)
    const holder = this.#all().find((device) => device.provider === provider && device.token === token)
    const id = request.id ?? holder?.id ?? newId
    // An id of another provider is refused, also if there is no such device.
    if (providerOf(id) !== provider) throw new ApiError('badRequest', 'id')
    if (this.#all().some((device) => ulidOf(device.id) === ulidOf(id) && device.id !== id)) {
      throw new ApiError('badRequest', 'id')
    }
    if (id === newId && request.id === undefined && this.#devices.has(id) && !holder) {
      throw new Error(`the id ${id} was created twice`)
    }
    if (holder) this.#devices.delete(holder.id)
    const topics = new Set([...(request.topics ?? []), ...this.#topicsOf(user), ...this.#topicsOf('')])
    this.#devices.set(id, { id, provider, platform, token, webPushKeys, user, timezone, locale, meta, topics })
    return { id }
  }

  update(request: UpdateRequest): object {
    const { user_update, timezone_update, locale_update, meta_update, topics_update } = request
    if (!(user_update || timezone_update || locale_update || meta_update || topics_update)) {
      throw new ApiError('badRequest', 'nothing to change')
    }
    if (topics_update) checkChange(topics_update)
    for (const device of this.#select(request)) {
      if (user_update) device.user = user_update.user ?? ''
      if (timezone_update) device.timezone = timezone_update.timezone ?? ''
      if (locale_update) device.locale = locale_update.locale ?? ''
      if (meta_update) device.meta = meta_update.meta ?? {}
      if (topics_update) device.topics = change(device.topics, topics_update)
    }
    return {}
  }

  remove(request: RemoveRequest): object {
    for (const { id } of this.#select(request)) this.#devices.delete(id)
    return {}
  }

  updateTopics(request: DeviceTopicUpdateRequest): object {
    checkChange(request)
    const device = this.#devices.get(request.device_id)
    if (!device) throw new ApiError('notFound', 'device_id')
    if (request.user && request.user !== device.user) throw new ApiError('conflict', 'user')
    device.topics = change(device.topics, request)
    return {}
  }

  updateUser(request: UserTopicUpdateRequest): object {
    checkChange(request)
    const { user = '' } = request
    const before = this.#topicsOf(user)
    const after = change(before, request)
    this.#userTopics.set(user, after)
    if (user === '') return {}
    const left = [...before].filter((topic) => !after.has(topic) && !this.#topicsOf('').has(topic))
    const joined = request.op === 'remove' ? [] : (request.topics ?? [])
    for (const device of this.#all().filter((candidate) => candidate.user === user)) {
      for (const topic of left) device.topics.delete(topic)
      for (const topic of joined) device.topics.add(topic)
    }
    return {}
  }

  list(request: ListRequest): object[] {
    const { ids, users, topics, providers, platforms } = request.filter ?? {}
    return this.#all()
      .filter((device) => isIn(ids, device.id) && isIn(users, device.user))
      .filter((device) => isIn(providers, device.provider) && isIn(platforms, device.platform))
      .filter((device) => isAny(topics) || topics?.some((topic) => device.topics.has(topic)))
      .map((device) => encode(device, request))
  }

  listTopics(request: DeviceTopicListRequest): object[] {
    const { device_ids, device_users, device_providers, device_platforms, ...wanted } = request.filter ?? {}
    return this.#all()
      .filter((device) => isIn(device_ids, device.id) && isIn(device_users, device.user))
      .filter((device) => isIn(device_providers, device.provider) && isIn(device_platforms, device.platform))
      .flatMap((device) => {
        const shown = request.include_device ? encode(device, {}) : { id: device.id }
        return pick(device.topics, wanted).map((topic) => ({ device_id: device.id, topic, device: shown }))
      })
  }

  listUsers(request: UserTopicListRequest): object[] {
    const { users, ...wanted } = request.filter ?? {}
    return [...this.#userTopics]
      .filter(([user]) => isIn(users, user))
      .flatMap(([user, topics]) => pick(topics, wanted).map((topic) => (user === '' ? { topic } : { user, topic })))
  }

  #all(): ModelDevice[] {
    return [...this.#devices.values()]
  }

  #topicsOf(user: string): ReadonlySet<string> {
    return this.#userTopics.get(user) ?? new Set()
  }

  #select({ ids, users }: RemoveRequest): ModelDevice[] {
    if (isAny(ids) && isAny(users)) throw new ApiError('badRequest', 'neither ids nor users')
    return this.#all().filter((device) => isIn(ids, device.id) && isIn(users, device.user))
  }
}

function ulidOf(id: string): string {
  return id.split('-')[0] ?? ''
}

function providerOf(id: string): string {
  return id.split('-')[1] ?? ''
}

function readToken(provider: string, token: string): { token: string; webPushKeys: string } {
  if (provider !== 'webpush') return { token, webPushKeys: '' }
  const { endpoint, keys } = JSON.parse(token)
  return { token: endpoint, webPushKeys: JSON.stringify(keys) }
}

function checkChange({ op, topics = [] }: TopicChange): void {
  if (!['add', 'remove', 'set'].includes(op)) throw new ApiError('badRequest', 'op')
  if (op !== 'set' && topics.length === 0) throw new ApiError('badRequest', 'topics')
}

function change(before: ReadonlySet<string>, { op, topics = [] }: TopicChange): Set<string> {
  if (op === 'set') return new Set(topics)
  return op === 'add'
    ? new Set([...before, ...topics])
    : new Set([...before].filter((topic) => !topics.includes(topic)))
}

function isAny(values: Texts = []): boolean {
  return values.length === 0
}

function isIn(values: Texts | undefined, value: string): boolean {
  return isAny(values) || values?.includes(value) === true
}

function pick(topics: Iterable<string>, wanted: { topics?: Texts; topic_prefix?: string }): string[] {
  const { topics: names, topic_prefix: prefix = '' } = wanted
  return [...topics].filter((topic) => isIn(names, topic) && topic.startsWith(prefix))
}

/** A `Device` of a result, without zero values. */
function encode(device: ModelDevice, include: Omit<ListRequest, 'filter'>): object {
  const fields = {
    id: device.id,
    provider: device.provider,
    platform: device.platform,
    token: device.token,
    user: device.user,
    timezone: device.timezone,
    locale: device.locale,
    meta: include.include_meta && Object.keys(device.meta).length > 0 ? device.meta : '',
    topics: include.include_topics && device.topics.size > 0 ? [...device.topics].sort() : '',
    webpush_keys: include.include_webpush_keys ? device.webPushKeys : '',
  }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''))
}

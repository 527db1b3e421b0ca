// Stores with one mistake each, to prove that the model finds it. They wrap the real store and change its results.

import type { DeviceId } from '../../src/devices/device-id.ts'
import { parseDeviceId } from '../../src/devices/device-id.ts'
import { DeviceStore } from '../../src/devices/device-store.ts'
import type { UserTopicQuery } from '../../src/devices/list-user-topics.ts'
import type { Registration } from '../../src/devices/registration.ts'
import type { TopicOperation } from '../../src/devices/topic-operation.ts'
import type { DeviceFilter } from '../../src/sends/recipient.ts'

const EVERYONE: DeviceFilter = {
  ids: [],
  users: [],
  topics: [],
  providers: ['fcm', 'hms', 'apns', 'webpush'],
  platforms: [],
}

class WithoutUserTopics extends DeviceStore {
  override async register(registration: Registration): Promise<string> {
    const id = await super.register(registration)
    await this.updateDeviceTopics(parse(id), { op: 'set', topics: registration.topics }, '')
    return id
  }
}

class EveryonesTopicsAtOnce extends DeviceStore {
  override async updateUserTopics(user: string, topics: TopicOperation): Promise<void> {
    await super.updateUserTopics(user, topics)
    const nothing = { user: undefined, timezone: undefined, locale: undefined, meta: undefined }
    if (user === '') await this.update(EVERYONE, { ...nothing, topics })
  }
}

class WithoutGuard extends DeviceStore {
  override updateDeviceTopics(id: DeviceId, operation: TopicOperation): Promise<void> {
    return super.updateDeviceTopics(id, operation, '')
  }
}

class StaleTopics extends DeviceStore {
  override async register(registration: Registration): Promise<string> {
    const before = await this.#topicsByDevice()
    const id = await super.register(registration)
    const topics = before.get(id) ?? []
    if (topics.length > 0) await this.updateDeviceTopics(parse(id), { op: 'add', topics }, '')
    return id
  }

  async #topicsByDevice(): Promise<Map<string, readonly string[]>> {
    const include = { topics: true, meta: false, webPushKeys: false }
    const { items } = await this.list({ filter: EVERYONE, include, limit: 0, cursor: '', includeTotalCount: false })
    return new Map(items.map(({ id, topics }) => [id, topics]))
  }
}

/** Uses a prefix as a pattern of SQL's `like`. */
class UnescapedPrefix extends DeviceStore {
  override async listUserTopics(query: UserTopicQuery) {
    const all = await super.listUserTopics({
      ...query,
      topics: { topics: [], topicPrefix: '' },
      limit: 1000,
      cursor: '',
    })
    const pattern = new RegExp(`^${query.topics.topicPrefix.replaceAll('%', '.*').replaceAll('_', '.')}`, 's')
    const names = [...new Set(all.items.map(({ topic }) => topic))].filter((topic) => pattern.test(topic))
    const wanted = query.topics.topics.length === 0 ? names : names.filter((name) => query.topics.topics.includes(name))
    // A name that no topic has, because an empty list selects all topics.
    return super.listUserTopics({ ...query, topics: { topics: ['?', ...wanted], topicPrefix: '' } })
  }
}

/** Each mistake with a seed that finds it after a few calls, so that the test is quick. */
export const MISTAKES: readonly (readonly [mistake: string, store: typeof DeviceStore, seed: number])[] = [
  ["the user's topics are not copied at registration", WithoutUserTopics, 2],
  ["everyone's topics reach devices at once", EveryonesTopicsAtOnce, 11],
  ['the ownership guard is ignored', WithoutGuard, 11],
  ['a prefix is a pattern', UnescapedPrefix, 4],
  ['topics of the registration before stay', StaleTopics, 5],
]

function parse(id: string): DeviceId {
  const parsed = parseDeviceId(id)
  if (!parsed) throw new Error('the store returned an invalid id')
  return parsed
}

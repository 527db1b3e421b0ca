// What can be imported, and how each kind is asked for, read and stored.

import type { DeviceStore } from '../../devices/device-store.ts'
import { type DeviceRecord, DeviceRecordMessage, parseDeviceRecord } from '../../devices/import/device-record.ts'
import type { ImportOutcome } from '../../devices/import/import-devices.ts'
import {
  parseUserTopicRecord,
  type UserTopicRecord,
  UserTopicRecordMessage,
} from '../../devices/import/import-user-topics.ts'
import type { EndpointCheck } from '../../devices/web-push-endpoint.ts'
import type { JsonText } from '../../json/json-text.ts'
import { decodeMessage } from '../../protocol/wire-types.ts'
import type { ListApi } from './page-source.ts'

export interface ImportKind<Item> {
  /** For messages. */
  noun: string
  /** @throws DecodeError or ApiError, whose messages name the field and never its value */
  parse(json: Buffer | JsonText): Item
  /** Records with a common key are about one thing, of which the last one counts. */
  keysOf(item: Item): string[]
  /** Stores a batch and resolves to what became of each. */
  store(items: readonly Item[]): Promise<ImportOutcome[]>
}

/** How a compatible server lists what is to be imported. */
export const LISTS: Record<'devices' | 'user-topics', Pick<ListApi, 'method' | 'request'>> = {
  devices: {
    method: 'device_list',
    request: { include_topics: true, include_meta: true, include_webpush_keys: true },
  },
  'user-topics': { method: 'user_topic_list', request: {} },
}

export function makeDeviceImport(devices: DeviceStore, checkEndpoint: EndpointCheck): ImportKind<DeviceRecord> {
  return {
    noun: 'devices',
    parse: (json) => parseDeviceRecord(decodeMessage(DeviceRecordMessage, json), checkEndpoint),
    keysOf: ({ provider, token, uuid }) => [`${provider} ${token}`, ...(uuid === undefined ? [] : [uuid])],
    store: (records) => devices.importDevices(records),
  }
}

export function makeUserTopicImport(devices: DeviceStore): ImportKind<UserTopicRecord> {
  return {
    noun: 'user topics',
    parse: (json) => parseUserTopicRecord(decodeMessage(UserTopicRecordMessage, json)),
    keysOf: () => [],
    async store(records) {
      await devices.importUserTopics(records)
      return records.map(() => ({ kind: 'stored' }))
    },
  }
}

// The two kinds of imports (devices, users' topics): how their records are listed, parsed and stored.
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
import { decodeMessage } from '../../protocol/decode-message.ts'
import type { ListApi } from './page-source.ts'

export interface ImportKind<Item> {
  /** The word for the records of this kind in messages, in the plural. */
  noun: string
  /** Parses a record. @throws DecodeError or ApiError; their messages name the field and never contain its value */
  parse(json: Buffer | JsonText): Item
  /**
   * The keys of a record. Records that have a key in common describe the same device, so they are stored in their
   * order.
   */
  keysOf(item: Item): string[]
  /** Stores a batch of records; resolves to the outcome of each, in their order. */
  store(items: readonly Item[]): Promise<ImportOutcome[]>
}

/** The API methods with which a compatible server lists the records of each kind. */
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

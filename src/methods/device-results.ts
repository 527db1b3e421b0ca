import type { Device } from '../devices/device.ts'
import type { ListPage } from '../devices/list-page.ts'
import { encodeMap, withoutZeroValues } from '../protocol/result.ts'

/** Encodes a device as the message `Device` of a result. Its fields are in the order of their numbers in api.proto. */
export function encodeDevice(device: Device): object {
  return withoutZeroValues({
    id: device.id,
    platform: device.platform,
    provider: device.provider,
    token: device.token,
    user: device.user,
    created_at: device.createdAtSeconds,
    updated_at: device.updatedAtSeconds,
    meta: encodeMap(device.meta),
    topics: device.topics,
    timezone: device.timezone,
    locale: device.locale,
    webpush_keys: device.webPushKeys,
  })
}

/** Encodes a page as the result of a list method. */
export function encodePage<Item>(page: ListPage<Item>, encodeItem: (item: Item) => object): object {
  return withoutZeroValues({
    items: page.items.map(encodeItem),
    next_cursor: page.nextCursor,
    total_count: page.totalCount,
  })
}

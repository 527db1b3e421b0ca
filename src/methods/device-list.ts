import { parseDeviceFilter } from '../devices/device-filter.ts'
import type { DeviceStore } from '../devices/device-store.ts'
import type { DeviceListRequest } from '../protocol/requests/push.ts'
import { encodeDevice, encodePage } from './device-results.ts'

/** The method `device_list`. A request without a filter lists all devices. */
export function makeDeviceList(store: DeviceStore) {
  return async (request: DeviceListRequest): Promise<object> => {
    const page = await store.list({
      filter: parseDeviceFilter(request.filter),
      include: {
        topics: request.include_topics,
        meta: request.include_meta,
        webPushKeys: request.include_webpush_keys,
      },
      includeTotalCount: request.include_total_count,
      cursor: request.cursor,
      limit: request.limit,
    })
    return encodePage(page, encodeDevice)
  }
}

import { parseDeviceFilter } from '../devices/device-filter.ts'
import type { DeviceStore } from '../devices/device-store.ts'
import type { DeviceTopic } from '../devices/list-device-topics.ts'
import { parseTopicFilter } from '../devices/topic-filter.ts'
import type { DeviceTopicListRequest } from '../protocol/requests/push.ts'
import { encodeDevice, encodePage } from './device-results.ts'

/** The method `device_topic_list`. A request without a filter lists all subscriptions of devices. */
export function makeDeviceTopicList(store: DeviceStore) {
  return async (request: DeviceTopicListRequest): Promise<object> => {
    const page = await store.listDeviceTopics({
      devices: parseDevices(request.filter),
      topics: parseTopicFilter(request.filter),
      includeTotalCount: request.include_total_count,
      cursor: request.cursor,
      limit: request.limit,
    })
    return encodePage(page, (item) => encodeDeviceTopic(item, request.include_device))
  }
}

function parseDevices(filter: DeviceTopicListRequest['filter']) {
  if (!filter) return parseDeviceFilter(undefined)
  const { device_ids: ids, device_users: users, device_providers: providers, device_platforms: platforms } = filter
  return parseDeviceFilter({ ids, users, providers, platforms, topics: [] }, 'filter.device_')
}

/**
 * Encodes a subscription. Centrifugo's Python SDK requires `device` in every item, so it contains at least the id of
 * the device.
 */
function encodeDeviceTopic({ id, topic, device }: DeviceTopic, includeDevice: boolean): object {
  return { id, device_id: device.id, topic, device: includeDevice ? encodeDevice(device) : { id: device.id } }
}

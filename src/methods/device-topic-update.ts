import type { DeviceStore } from '../devices/device-store.ts'
import { checkUser, parseId } from '../devices/field-checks.ts'
import { parseTopicOperation } from '../devices/topic-operation.ts'
import type { DeviceTopicUpdateRequest } from '../protocol/requests/push.ts'

/** The method `device_topic_update`: changes the topics of one device. Its result is empty. */
export function makeDeviceTopicUpdate(store: DeviceStore) {
  return async (request: DeviceTopicUpdateRequest): Promise<object> => {
    const id = parseId('device_id', request.device_id)
    const owner = checkUser('user', request.user)
    await store.updateDeviceTopics(id, parseTopicOperation(request), owner)
    return {}
  }
}

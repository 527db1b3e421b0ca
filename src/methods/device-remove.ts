import { parseDeviceSelection } from '../devices/device-filter.ts'
import type { DeviceStore } from '../devices/device-store.ts'
import type { DeviceRemoveRequest } from '../protocol/requests/push.ts'

/** The method `device_remove`. Its result is empty, even if no device matched. */
export function makeDeviceRemove(store: DeviceStore) {
  return async (request: DeviceRemoveRequest): Promise<object> => {
    await store.remove(parseDeviceSelection(request))
    return {}
  }
}

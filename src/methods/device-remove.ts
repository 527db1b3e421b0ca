import { parseDeviceSelection } from '../devices/device-filter.ts'
import type { DeviceStore } from '../devices/device-store.ts'
import type { DeviceRemoveRequest } from '../protocol/requests/push.ts'

/** `device_remove`: an empty result, whether there was a device to remove or not. */
export function makeDeviceRemove(store: DeviceStore) {
  return async (request: DeviceRemoveRequest): Promise<object> => {
    await store.remove(parseDeviceSelection(request))
    return {}
  }
}

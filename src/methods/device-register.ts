import type { DeviceStore } from '../devices/device-store.ts'
import { parseRegistration } from '../devices/registration.ts'
import type { EndpointCheck } from '../devices/web-push-endpoint.ts'
import type { DeviceRegisterRequest } from '../protocol/requests/push.ts'

/** The method `device_register`: stores the whole state of a device. Its result contains the device's `id`. */
export function makeDeviceRegister(store: DeviceStore, checkEndpoint: EndpointCheck) {
  return async (request: DeviceRegisterRequest): Promise<object> => ({
    id: await store.register(parseRegistration(request, checkEndpoint)),
  })
}

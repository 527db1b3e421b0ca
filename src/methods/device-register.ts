import type { DeviceStore } from '../devices/device-store.ts'
import { parseRegistration } from '../devices/registration.ts'
import type { EndpointCheck } from '../devices/web-push-endpoint.ts'
import type { DeviceRegisterRequest } from '../protocol/requests/push.ts'

/** `device_register`: stores the whole state of a device; the result has its `id`. */
export function makeDeviceRegister(store: DeviceStore, checkEndpoint: EndpointCheck) {
  return async (request: DeviceRegisterRequest): Promise<object> => ({
    id: await store.register(parseRegistration(request, checkEndpoint)),
  })
}

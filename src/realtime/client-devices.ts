// The methods about devices that clients call. A client registers devices for its user, and changes only those of its
// user: for devices of others, and for ids that do not exist, the answer is the same.
import type { DeviceStore } from '../devices/device-store.ts'
import { parseId } from '../devices/field-checks.ts'
import { parseRegistration } from '../devices/registration.ts'
import type { EndpointCheck } from '../devices/web-push-endpoint.ts'
import { makeDeviceRemove } from '../methods/device-remove.ts'
import { makeDeviceTopicUpdate } from '../methods/device-topic-update.ts'
import { makeDeviceUpdate } from '../methods/device-update.ts'
import { ApiError } from '../protocol/errors.ts'
import type { DeviceTopicUpdateRequest } from '../protocol/requests/push.ts'
import type { ClientRegisterRequest, ClientUpdateRequest } from '../protocol/requests/realtime.ts'
import type { AllowRules } from './allow-rules.ts'

interface Deps {
  store: DeviceStore
  checkEndpoint: EndpointCheck
  rules: AllowRules
}

/** Runs the methods about devices for the user of a connection. All methods throw an ApiError. */
export class ClientDevices {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /**
   * Registers a device for the user. A known token moves to the user, because an account switch on a device looks like
   * this. The id of another user's device is accepted only with the token of that device: otherwise its owner would
   * lose it to anyone who knows the id.
   */
  async register(user: string, request: ClientRegisterRequest): Promise<object> {
    const { store, checkEndpoint, rules } = this.#deps
    const registration = parseRegistration({ ...request, user }, checkEndpoint)
    rules.checkTopics(user, registration.topics)
    rules.checkMeta(registration.meta)
    const holder = request.id === '' ? undefined : await store.findHolder(parseId('id', request.id))
    if (holder && holder.user !== user && holder.token !== registration.token) throw noSuchDevice('id')
    return { id: await store.register(registration) }
  }

  /** Changes a device of the user. */
  async update(user: string, { id, ...changes }: ClientUpdateRequest): Promise<object> {
    const { store, rules } = this.#deps
    if (changes.topics_update) rules.checkTopics(user, changes.topics_update.topics)
    if (changes.meta_update) rules.checkMeta(changes.meta_update.meta)
    await this.checkOwn('id', user, id)
    // The transaction checks the user again, because the device may have another user since the check above.
    return makeDeviceUpdate(store)({ ...changes, ids: [id], users: [user], user_update: undefined })
  }

  /** Removes a device of the user. Its result is the same for other devices, so that a logout can be repeated. */
  remove(user: string, id: string): Promise<object> {
    return makeDeviceRemove(this.#deps.store)({ ids: [id], users: [user] })
  }

  /** Changes the topics of a device of the user. */
  async updateTopics(user: string, request: Omit<DeviceTopicUpdateRequest, 'user'>): Promise<object> {
    this.#deps.rules.checkTopics(user, request.topics)
    await this.checkOwn('device_id', user, request.device_id)
    return makeDeviceTopicUpdate(this.#deps.store)({ ...request, user })
  }

  /** @throws ApiError badRequest, or notFound if the user has no such device */
  async checkOwn(field: string, user: string, deviceId: string): Promise<void> {
    const holder = await this.#deps.store.findHolder(parseId(field, deviceId))
    if (holder?.user !== user) throw noSuchDevice(field)
  }
}

function noSuchDevice(field: string): ApiError {
  return new ApiError('notFound', `${field}: the user has no such device`)
}

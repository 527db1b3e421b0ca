import type { ProviderName } from '../config/provider-names.ts'
import { readDatabaseError } from '../database/database-error.ts'
import type { Sql } from '../database/pool.ts'
import { ApiError } from '../protocol/errors.ts'
import type { Device } from './device.ts'
import type { DeviceFilter } from './device-filter.ts'
import { type DeviceId, formatDeviceId, makeDeviceUuid } from './device-id.ts'
import { deleteOldRemovedDevices, type GoneDevice, removeGoneDevices } from './gone-devices.ts'
import { type DeviceTopic, type DeviceTopicQuery, listDeviceTopics } from './list-device-topics.ts'
import { type DeviceQuery, listDevices } from './list-devices.ts'
import type { ListPage } from './list-page.ts'
import { listUserTopics, type UserTopic, type UserTopicQuery } from './list-user-topics.ts'
import { registerDevice } from './register-device.ts'
import type { Registration } from './registration.ts'
import { pageTargets, type TargetPage } from './target-page.ts'
import type { TopicOperation } from './topic-operation.ts'
import { type DeviceChanges, removeDevices, updateDevices, updateDeviceTopics } from './update-devices.ts'
import { updateUserTopics } from './update-user-topics.ts'

interface Deps {
  sql: Sql
  /** Unix time in ms. */
  now(): number
}

/**
 * Devices and topics. Each change is whole or not at all. What goes wrong is an ApiError: what the operation says, or
 * `internal` at once while the database is away; it is used again as soon as it is back.
 */
export class DeviceStore {
  readonly #sql: Sql
  readonly #now: () => number

  constructor(deps: Deps) {
    this.#sql = deps.sql
    this.#now = deps.now
  }

  /** Stores the whole state of a device and resolves to its id. @throws ApiError conflict: a retry succeeds */
  async register(registration: Registration): Promise<string> {
    const newUuid = makeDeviceUuid(this.#now())
    const uuid = await translateErrors(registerDevice(this.#sql, registration, newUuid))
    return formatDeviceId(uuid, registration.provider)
  }

  /** Changes all devices that match. */
  update(filter: DeviceFilter, changes: DeviceChanges): Promise<void> {
    return translateErrors(updateDevices(this.#sql, filter, changes))
  }

  /** Removes all devices that match. */
  remove(filter: DeviceFilter): Promise<void> {
    return translateErrors(removeDevices(this.#sql, filter))
  }

  list(query: DeviceQuery): Promise<ListPage<Device>> {
    return translateErrors(listDevices(this.#sql, query))
  }

  /** @param owner unless it is empty, the user that the device must belong to. @throws ApiError notFound, conflict */
  updateDeviceTopics(id: DeviceId, operation: TopicOperation, owner: string): Promise<void> {
    return translateErrors(updateDeviceTopics(this.#sql, id, operation, owner))
  }

  listDeviceTopics(query: DeviceTopicQuery): Promise<ListPage<DeviceTopic>> {
    return translateErrors(listDeviceTopics(this.#sql, query))
  }

  /** Changes what a user follows, and the user's devices with it. */
  updateUserTopics(user: string, operation: TopicOperation): Promise<void> {
    return translateErrors(updateUserTopics(this.#sql, user, operation))
  }

  listUserTopics(query: UserTopicQuery): Promise<ListPage<UserTopic>> {
    return translateErrors(listUserTopics(this.#sql, query))
  }

  /** A page of the targets of a send, each device once. @param after the id of the last one before, if there is one */
  pageTargets(filter: DeviceFilter, after: string | undefined, limit: number): Promise<TargetPage> {
    return translateErrors(pageTargets(this.#sql, filter, after, limit))
  }

  /**
   * Removes devices whose token is dead, except those that have another one meanwhile or were registered again.
   * Resolves to how many.
   * @param seenAtMs Unix time in ms at which the pushes were handed to the provider
   */
  removeGone(
    provider: ProviderName,
    gone: readonly GoneDevice[],
    seenAtMs: number,
    reason = 'token gone',
  ): Promise<number> {
    return translateErrors(removeGoneDevices(this.#sql, provider, gone, seenAtMs, reason))
  }

  /** Forgets what is kept for a week only; run it now and then. */
  cleanUp(): Promise<void> {
    return translateErrors(deleteOldRemovedDevices(this.#sql))
  }
}

/** The driver's errors carry the values of the statement, among them tokens: nobody outside of this room gets them. */
async function translateErrors<T>(result: Promise<T>): Promise<T> {
  try {
    return await result
  } catch (error) {
    const cause = readDatabaseError(error)
    if (cause === undefined) throw error
    throw new ApiError('internal', `database: ${cause.code}`, { cause })
  }
}

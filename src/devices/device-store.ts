import type { ProviderName } from '../config/provider-names.ts'
import type { CallDeadline } from '../database/call-deadline.ts'
import { readDatabaseError } from '../database/database-error.ts'
import type { Sql } from '../database/pool.ts'
import type { Replicas } from '../database/replicas.ts'
import { TimedCalls } from '../database/timed-calls.ts'
import { ApiError } from '../protocol/errors.ts'
import type { DeviceFilter } from '../sends/recipient.ts'
import type { Device } from './device.ts'
import { type DeviceId, formatDeviceId, makeDeviceUuid } from './device-id.ts'
import { type DeviceRanges, findRanges, type RangeQuery } from './device-ranges.ts'
import { type DeviceHolder, selectHolder } from './find-device.ts'
import type { DeviceRecord } from './import/device-record.ts'
import { type ImportOutcome, importDevices } from './import/import-devices.ts'
import { importUserTopics, type UserTopicRecord } from './import/import-user-topics.ts'
import { type DeviceTopic, type DeviceTopicQuery, listDeviceTopics } from './list-device-topics.ts'
import { type DeviceQuery, listDevices } from './list-devices.ts'
import type { ListPage } from './list-page.ts'
import { listUserTopics, type UserTopic, type UserTopicQuery } from './list-user-topics.ts'
import { NamedPages } from './named-pages.ts'
import { RegistrationBatcher } from './registration/registration-batcher.ts'
import type { Registration } from './registration.ts'
import { deleteOldRemovedDevices, type GoneDevice, removeGoneDevices } from './removal/gone-devices.ts'
import { removeInactiveDevices } from './removal/inactive-devices.ts'
import { listRemovedDevices, type RemovedDevice } from './removal/list-removed.ts'
import { countRestorable, type RestoreQuery, type RestoreResult, restoreDevices } from './removal/restore-devices.ts'
import { pageTargets, type TargetPage, type TargetPageQuery } from './target-page.ts'
import type { TopicOperation } from './topic-operation.ts'
import { type DeviceChanges, removeDevices, updateDevices, updateDeviceTopics } from './update-devices.ts'
import { updateUserTopics } from './update-user-topics.ts'

interface Deps {
  sql: Sql
  /** Returns the current Unix time in ms. */
  now(): number
  /** The replicas that lists are read from; undefined: lists are read from `sql`. */
  replicas?: Replicas | undefined
  /** A call fails if the database has not answered after this many ms. */
  answerTimeoutMs?: number
}

/**
 * Devices and topics in PostgreSQL. Each change is atomic. Methods reject with an ApiError: of a kind that the method
 * names, or `internal` if the database fails or has not answered after `answerTimeoutMs`; then no change is made later.
 * After a failure the database is used again as soon as it is available. The bulk methods at the end have no timeout.
 */
export class DeviceStore {
  readonly #sql: Sql
  readonly #now: () => number
  readonly #batcher: RegistrationBatcher
  readonly #namedPages: NamedPages
  readonly #replicas: Replicas | undefined
  readonly #calls: TimedCalls

  constructor(deps: Deps) {
    this.#sql = deps.sql
    this.#now = deps.now
    this.#replicas = deps.replicas
    this.#calls = new TimedCalls(deps)
    this.#batcher = new RegistrationBatcher({ sql: deps.sql, calls: this.#calls })
    this.#namedPages = new NamedPages({ sql: deps.sql, calls: this.#calls })
  }

  /** Stores the whole state of a device and resolves to its id. @throws ApiError conflict, on which a retry succeeds */
  async register(registration: Registration): Promise<string> {
    const newUuid = makeDeviceUuid(this.#now())
    const uuid = await translateErrors(this.#batcher.register({ registration, newUuid }))
    return formatDeviceId(uuid, registration.provider)
  }

  /** Changes all devices that match the filter. */
  update(filter: DeviceFilter, changes: DeviceChanges): Promise<void> {
    return this.#call((sql, deadline) => updateDevices(sql, filter, changes, deadline))
  }

  /** Removes all devices that match the filter. */
  remove(filter: DeviceFilter): Promise<void> {
    return this.#call((sql, deadline) => removeDevices(sql, filter, deadline))
  }

  /** The user and the token of a device, read from the primary; undefined if there is no such device. */
  findHolder(id: DeviceId): Promise<DeviceHolder | undefined> {
    return this.#call((sql) => selectHolder(sql, id))
  }

  /** A page of the devices that match the query. @throws ApiError badRequest for an invalid cursor or limit */
  list(query: DeviceQuery): Promise<ListPage<Device>> {
    return this.#read((sql) => listDevices(sql, query))
  }

  /**
   * Changes the topics of one device.
   * @param owner the user that the device must belong to; empty for any
   * @throws ApiError notFound, conflict
   */
  updateDeviceTopics(id: DeviceId, operation: TopicOperation, owner: string): Promise<void> {
    return this.#call((sql, deadline) => updateDeviceTopics(sql, { id, operation, owner }, deadline))
  }

  /**
   * A page of the devices' subscriptions that match the query.
   * @throws ApiError badRequest for an invalid cursor or limit
   */
  listDeviceTopics(query: DeviceTopicQuery): Promise<ListPage<DeviceTopic>> {
    return this.#read((sql) => listDeviceTopics(sql, query))
  }

  /** Changes the topics of a user and of the user's devices. */
  updateUserTopics(user: string, operation: TopicOperation): Promise<void> {
    return this.#call((sql, deadline) => updateUserTopics(sql, user, operation, deadline))
  }

  /** A page of users' topics that match the query. @throws ApiError badRequest for an invalid cursor or limit */
  listUserTopics(query: UserTopicQuery): Promise<ListPage<UserTopic>> {
    return this.#read((sql) => listUserTopics(sql, query))
  }

  /**
   * The devices that were removed automatically in the last week: the one with `id`, or if it is empty those of `user`,
   * or if both are empty the latest ones.
   */
  listRemoved(query: { id: string; user: string }): Promise<RemovedDevice[]> {
    return this.#call((sql) => listRemovedDevices(sql, query))
  }

  /** A page of the targets of a send to `filter`. Each device is in one page only. */
  async pageTargets(filter: DeviceFilter, query: TargetPageQuery): Promise<TargetPage> {
    const page = await translateErrors(this.#namedPages.read(filter, query))
    return page ?? (await this.#call((sql) => pageTargets(sql, filter, query)))
  }

  /** Divides the targets of a send to `filter` into ranges, in the order of their device ids. */
  findRanges(filter: DeviceFilter, query: RangeQuery): Promise<DeviceRanges> {
    return this.#call((sql) => findRanges(sql, filter, query))
  }

  /**
   * Removes devices with a dead token, except those that have a new token or a newer registration.
   * Resolves to the number of removed devices.
   * @param seenAtMs the Unix time in ms at which the pushes were handed to the provider
   */
  removeGone(
    provider: ProviderName,
    gone: readonly GoneDevice[],
    seenAtMs: number,
    reason = 'token gone',
  ): Promise<number> {
    return this.#call((sql) => removeGoneDevices(sql, provider, gone, seenAtMs, reason))
  }

  /** Deletes devices that were removed more than a week ago. The caller runs it periodically. */
  cleanUp(): Promise<void> {
    return translateErrors(deleteOldRemovedDevices(this.#sql))
  }

  /** Removes the devices that were neither registered nor updated for `maxAgeMs`. Resolves to their number. */
  removeInactive(maxAgeMs: number, signal: AbortSignal): Promise<number> {
    return translateErrors(removeInactiveDevices(this.#sql, maxAgeMs, signal))
  }

  /** Stores devices of another server, some hundred per call. Resolves to the outcomes in the order of `records`. */
  importDevices(records: readonly DeviceRecord[]): Promise<ImportOutcome[]> {
    return translateErrors(importDevices(this.#sql, records, this.#now()))
  }

  /** Adds topics to users and to the users' devices, about a thousand records per call. */
  importUserTopics(records: readonly UserTopicRecord[]): Promise<void> {
    return translateErrors(importUserTopics(this.#sql, records))
  }

  /** Restores removed devices. @param onProgress takes the numbers after each batch */
  restore(query: RestoreQuery, onProgress?: (result: RestoreResult) => void): Promise<RestoreResult> {
    return translateErrors(restoreDevices(this.#sql, query, onProgress))
  }

  /** Counts the removed devices that `restore` would restore and skip. */
  countRestorable(query: RestoreQuery): Promise<RestoreResult> {
    return translateErrors(countRestorable(this.#sql, query))
  }

  /** Runs `work` for a call of the API, which fails if the database does not answer in time. */
  #call<T>(work: (sql: Sql, deadline: CallDeadline) => Promise<T>): Promise<T> {
    return translateErrors(this.#calls.run((deadline) => work(this.#sql, deadline)))
  }

  /** Runs a read. Its result may be out of date by the delay of a replica. */
  #read<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    if (!this.#replicas) return this.#call(work)
    return translateErrors(this.#replicas.read(work))
  }
}

/**
 * Replaces errors of the PostgreSQL driver. They contain the parameters of the statement, and so tokens, which must not
 * leave this room.
 */
async function translateErrors<T>(result: Promise<T>): Promise<T> {
  try {
    return await result
  } catch (error) {
    const cause = readDatabaseError(error)
    if (cause === undefined) throw error
    throw new ApiError('internal', `database: ${cause.code}`, { cause })
  }
}

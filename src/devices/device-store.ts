import type { ProviderName } from '../config/provider-names.ts'
import { answerWithin } from '../database/answer-deadline.ts'
import { readDatabaseError } from '../database/database-error.ts'
import type { Sql } from '../database/pool.ts'
import type { Replicas } from '../database/replicas.ts'
import { ApiError } from '../protocol/errors.ts'
import type { Device } from './device.ts'
import type { DeviceFilter } from './device-filter.ts'
import { type DeviceId, formatDeviceId, makeDeviceUuid } from './device-id.ts'
import type { DeviceRecord } from './import/device-record.ts'
import { type ImportOutcome, importDevices } from './import/import-devices.ts'
import { importUserTopics, type UserTopicRecord } from './import/import-user-topics.ts'
import { type DeviceTopic, type DeviceTopicQuery, listDeviceTopics } from './list-device-topics.ts'
import { type DeviceQuery, listDevices } from './list-devices.ts'
import type { ListPage } from './list-page.ts'
import { listUserTopics, type UserTopic, type UserTopicQuery } from './list-user-topics.ts'
import { RegistrationBatcher } from './registration/registration-batcher.ts'
import type { Registration } from './registration.ts'
import { deleteOldRemovedDevices, type GoneDevice, removeGoneDevices } from './removal/gone-devices.ts'
import { removeInactiveDevices } from './removal/inactive-devices.ts'
import { countRestorable, type RestoreQuery, type RestoreResult, restoreDevices } from './removal/restore-devices.ts'
import { findPageEnd, pageTargets, type TargetColumn, type TargetPage } from './target-page.ts'
import type { TopicOperation } from './topic-operation.ts'
import { type DeviceChanges, removeDevices, updateDevices, updateDeviceTopics } from './update-devices.ts'
import { updateUserTopics } from './update-user-topics.ts'

interface Deps {
  sql: Sql
  /** Unix time in ms. */
  now(): number
  /** Where lists are read; undefined: in `sql`. */
  replicas?: Replicas | undefined
  /** How long a call may wait for its answer. */
  answerTimeoutMs?: number
}

/** Far longer than any call of the API takes, and well before clients and proxies give up. */
export const ANSWER_TIMEOUT_MS = 10_000

/**
 * Devices and topics. Each change is whole or not at all. What goes wrong is an ApiError: what the operation says, or
 * `internal` while the database is away: at once, or after `answerTimeoutMs` where what is sent to it disappears. It is
 * used again as soon as it is back. Bulk work, the last methods here, takes the time it needs.
 */
export class DeviceStore {
  readonly #sql: Sql
  readonly #now: () => number
  readonly #batcher: RegistrationBatcher
  readonly #replicas: Replicas | undefined
  readonly #answerTimeoutMs: number

  constructor(deps: Deps) {
    this.#sql = deps.sql
    this.#now = deps.now
    this.#replicas = deps.replicas
    this.#answerTimeoutMs = deps.answerTimeoutMs ?? ANSWER_TIMEOUT_MS
    this.#batcher = new RegistrationBatcher({ sql: deps.sql })
  }

  /** Stores the whole state of a device and resolves to its id. @throws ApiError conflict: a retry succeeds */
  async register(registration: Registration): Promise<string> {
    const newUuid = makeDeviceUuid(this.#now())
    const uuid = await this.#call(() => this.#batcher.register({ registration, newUuid }))
    return formatDeviceId(uuid, registration.provider)
  }

  /** Changes all devices that match. */
  update(filter: DeviceFilter, changes: DeviceChanges): Promise<void> {
    return this.#call((sql) => updateDevices(sql, filter, changes))
  }

  /** Removes all devices that match. */
  remove(filter: DeviceFilter): Promise<void> {
    return this.#call((sql) => removeDevices(sql, filter))
  }

  list(query: DeviceQuery): Promise<ListPage<Device>> {
    return this.#read((sql) => listDevices(sql, query))
  }

  /** @param owner unless it is empty, the user that the device must belong to. @throws ApiError notFound, conflict */
  updateDeviceTopics(id: DeviceId, operation: TopicOperation, owner: string): Promise<void> {
    return this.#call((sql) => updateDeviceTopics(sql, id, operation, owner))
  }

  listDeviceTopics(query: DeviceTopicQuery): Promise<ListPage<DeviceTopic>> {
    return this.#read((sql) => listDeviceTopics(sql, query))
  }

  /** Changes what a user follows, and the user's devices with it. */
  updateUserTopics(user: string, operation: TopicOperation): Promise<void> {
    return this.#call((sql) => updateUserTopics(sql, user, operation))
  }

  listUserTopics(query: UserTopicQuery): Promise<ListPage<UserTopic>> {
    return this.#read((sql) => listUserTopics(sql, query))
  }

  /**
   * A page of the targets of a send, each device once.
   * @param after `next` of the page before, if there is one
   * @param used what the send uses of them besides what every target has
   */
  pageTargets(
    filter: DeviceFilter,
    after: string | undefined,
    limit: number,
    used: readonly TargetColumn[] = [],
  ): Promise<TargetPage> {
    return this.#call((sql) => pageTargets(sql, filter, after, limit, used))
  }

  /** The last device of such a page, as its line names it; undefined when fewer than `limit` are left. */
  findPageEnd(filter: DeviceFilter, after: string | undefined, limit: number): Promise<string | undefined> {
    return this.#call((sql) => findPageEnd(sql, filter, after, limit))
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
    return this.#call((sql) => removeGoneDevices(sql, provider, gone, seenAtMs, reason))
  }

  /** Forgets what is kept for a week only; run it now and then. */
  cleanUp(): Promise<void> {
    return translateErrors(deleteOldRemovedDevices(this.#sql))
  }

  /** Removes the devices that were neither registered nor updated for `maxAgeMs`. Resolves to how many. */
  removeInactive(maxAgeMs: number, signal: AbortSignal): Promise<number> {
    return translateErrors(removeInactiveDevices(this.#sql, maxAgeMs, signal))
  }

  /** Stores devices from elsewhere, some hundred at once. Resolves to what became of each, in their order. */
  importDevices(records: readonly DeviceRecord[]): Promise<ImportOutcome[]> {
    return translateErrors(importDevices(this.#sql, records, this.#now()))
  }

  /** Adds to what users follow, and to their devices' topics, a thousand or so at once: all of them or none. */
  importUserTopics(records: readonly UserTopicRecord[]): Promise<void> {
    return translateErrors(importUserTopics(this.#sql, records))
  }

  /** Brings back removed devices, or with `isDryRun` only counts them. */
  restore(query: RestoreQuery, isDryRun: boolean): Promise<RestoreResult> {
    return translateErrors((isDryRun ? countRestorable : restoreDevices)(this.#sql, query))
  }

  /** What the API asks for. */
  #call<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return translateErrors(answerWithin(work(this.#sql), this.#answerTimeoutMs))
  }

  /** What may be a moment old. */
  #read<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    if (!this.#replicas) return this.#call(work)
    return translateErrors(this.#replicas.read(work))
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

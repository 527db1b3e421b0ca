// device_register: the whole state of devices, those of many calls in one transaction, because most of what a
// registration costs is its round trips and the commit.
//
// 1. Advisory locks: users shared, then tokens and given ids. Of two who register the same token the second one waits
//    here, before its snapshot, and then sees the first one's device.
// 2. Row locks in the order of ids: the devices with the given ids and those that hold the tokens.
// 3. What each call means for them is decided, and all of it written.
import * as v from 'valibot'
import { readDatabaseError } from '../database/database-error.ts'
import type { Sql, Transaction } from '../database/pool.ts'
import { runTransaction } from '../database/transaction.ts'
import { ApiError } from '../protocol/errors.ts'
import { decodeProvider, encodePlatform, encodeProvider } from './codes.ts'
import { unsubscribeFromAll } from './device-topic-statements.ts'
import type { Registration } from './registration.ts'
import { lockRegistrations } from './registration-lock.ts'
import { ensureTopics } from './topic-names.ts'
import { lockUsersShared } from './user-lock.ts'

/** One call. */
export interface RegisterCall {
  registration: Registration
  /** Of the device, if this is a new one. */
  newUuid: string
}

/** What became of a call. */
export type Registered =
  | { kind: 'stored'; uuid: string }
  | { kind: 'refused'; error: ApiError }
  /** It is about the same token or device as another one of the batch; nothing was done, it has to run by itself. */
  | { kind: 'entangled' }

/**
 * Stores the devices and resolves to what became of each call. A device's uuid is the given one, else that of the device
 * with this token, else the new one. Its topics become those given, those of its user and those of everyone. Another
 * device with this token is removed. Rejects when nothing was stored, which may be the fault of any of the calls.
 * @param lockTimeoutMs gives up when another transaction is in the way for longer; 0 waits
 * @throws ApiError conflict when somebody who does not lock tokens stored one of them meanwhile: a retry succeeds
 */
export async function registerDevices(
  sql: Sql,
  calls: readonly RegisterCall[],
  lockTimeoutMs = 0,
): Promise<Registered[]> {
  const topicIds = await ensureTopics(sql, [...new Set(calls.flatMap(({ registration }) => registration.topics))])
  try {
    return await runTransaction(sql, async (tx) => {
      const plan = planBatch(calls, await lockDevices(tx, calls, lockTimeoutMs))
      await writeBatch(tx, plan, topicIds)
      return plan.outcomes
    })
  } catch (error) {
    if (readDatabaseError(error)?.constraint !== 'devices_token') throw error
    throw new ApiError('conflict', 'token: is being registered by another request')
  }
}

const Locked = v.object({
  id: v.string(),
  provider: v.pipe(v.number(), v.transform(decodeProvider)),
  token: v.string(),
})
type Locked = v.InferOutput<typeof Locked>

/** Locks what the calls are about and resolves to the devices that are there. */
async function lockDevices(tx: Transaction, calls: readonly RegisterCall[], lockTimeoutMs: number): Promise<Locked[]> {
  const registrations = calls.map(({ registration }) => registration)
  const uuids = registrations.map(({ uuid }) => uuid).filter((uuid) => uuid !== undefined)
  const tokens = registrations.map(({ token }) => token)
  // The list of everyone, '', does not reach devices that are there, so its changes need not wait for registrations.
  const users = registrations.map(({ user }) => user).filter((user) => user !== '')
  const providers = registrations.map(({ provider }) => encodeProvider(provider))
  // Sent together, run in this order.
  const [, , , rows] = await Promise.all([
    lockTimeoutMs > 0 ? tx`select set_config('lock_timeout', ${String(lockTimeoutMs)}, true)` : undefined,
    lockUsersShared(tx, users),
    lockRegistrations(tx, registrations),
    tx`
      with concerned as (
        select unnest(${uuids}::uuid[]) as id
        union
        select d.id from unnest(${providers}::smallint[], ${tokens}::text[]) as wanted (provider, token)
        join devices d on d.provider = wanted.provider and token_digest(d.token) = token_digest(wanted.token)
      )
      select d.id, d.provider, d.token from devices d where d.id in (select id from concerned)
      order by d.id
      for update of d`,
  ])
  return rows.map((row) => v.parse(Locked, row))
}

interface Plan {
  outcomes: Registered[]
  stored: { uuid: string; registration: Registration }[]
  /** Devices whose token another one gets. */
  replaced: string[]
}

/** Decides what each call does to the devices, which are locked. */
function planBatch(calls: readonly RegisterCall[], devices: readonly Locked[]): Plan {
  const providers = new Map(devices.map(({ id, provider }) => [id, provider]))
  const holders = new Map(devices.map((device) => [describeToken(device), device.id]))
  /** Devices and tokens of the calls before. */
  const taken = new Set<string>()
  const plan: Plan = { outcomes: [], stored: [], replaced: [] }
  for (const { registration, newUuid } of calls) {
    const token = describeToken(registration)
    const holder = holders.get(token)
    const uuid = registration.uuid ?? holder ?? newUuid
    const concerned = [token, uuid, holder ?? uuid]
    if (concerned.some((name) => taken.has(name))) {
      plan.outcomes.push({ kind: 'entangled' })
      continue
    }
    for (const name of concerned) taken.add(name)
    if ((providers.get(uuid) ?? registration.provider) !== registration.provider) {
      plan.outcomes.push({ kind: 'refused', error: new ApiError('badRequest', "id: another provider's device has it") })
      continue
    }
    if (holder !== undefined && holder !== uuid) plan.replaced.push(holder)
    plan.stored.push({ uuid, registration })
    plan.outcomes.push({ kind: 'stored', uuid })
  }
  return plan
}

function describeToken({ provider, token }: Pick<Registration, 'provider' | 'token'>): string {
  return `${provider} ${token}`
}

async function writeBatch(tx: Transaction, { stored, replaced }: Plan, topicIds: ReadonlyMap<string, number>) {
  if (replaced.length > 0) {
    await unsubscribeFromAll(tx, replaced)
    await tx`delete from devices where id = any(${replaced}::uuid[])`
  }
  if (stored.length === 0) return
  const rows = JSON.stringify(stored.map(({ uuid, registration }) => encodeRow(uuid, registration, topicIds)))
  await Promise.all([upsertDevices(tx, rows), rebuildTopics(tx, rows)])
}

/** As the two statements below read it. */
function encodeRow(uuid: string, registration: Registration, topicIds: ReadonlyMap<string, number>): object {
  const { provider, platform, token, user, timezone, locale, webPushKeys, meta, topics } = registration
  return {
    id: uuid,
    provider: encodeProvider(provider),
    platform: encodePlatform(platform),
    token,
    user_id: user,
    timezone,
    locale,
    webpush_keys: webPushKeys,
    meta: meta.size === 0 ? null : Object.fromEntries(meta),
    topic_ids: topics.map((topic) => topicIds.get(topic)),
  }
}

async function upsertDevices(tx: Transaction, rows: string): Promise<void> {
  await tx`
    insert into devices (
      id, created_at, updated_at, registered_at, provider, platform, token, user_id, timezone, locale, webpush_keys, meta
    )
    select id, now, now, now, provider, platform, token, user_id, timezone, locale, webpush_keys, meta
    from json_to_recordset(${rows}::text::json) as row (
      id uuid, provider smallint, platform smallint, token text, user_id text, timezone text, locale text,
      webpush_keys text, meta jsonb
    ), clock_timestamp() as now
    order by id
    on conflict (id) do update set
      updated_at = excluded.updated_at, registered_at = excluded.registered_at, platform = excluded.platform,
      token = excluded.token, user_id = excluded.user_id, timezone = excluded.timezone, locale = excluded.locale,
      webpush_keys = excluded.webpush_keys, meta = excluded.meta`
}

/** Leaves subscriptions that stay alone: an app registers at each of its starts, mostly with what it had before. */
async function rebuildTopics(tx: Transaction, rows: string): Promise<void> {
  await tx`
    with device as materialized (
      select * from json_to_recordset(${rows}::text::json) as row (id uuid, user_id text, topic_ids int[])
    ), wanted as materialized (
      select device.id as device_id, topic_id from device, unnest(device.topic_ids) as topic_id
      union
      select device.id, u.topic_id from device join user_topics u on u.user_id = device.user_id
      union
      select device.id, u.topic_id from device, user_topics u where u.user_id = ''
    ), dropped as (
      delete from device_topics t using device
      where t.device_id = device.id
        and not exists (select from wanted w where w.device_id = t.device_id and w.topic_id = t.topic_id)
    )
    insert into device_topics (topic_id, device_id) select topic_id, device_id from wanted
    on conflict do nothing`
}

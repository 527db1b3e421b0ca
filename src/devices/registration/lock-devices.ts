// What a registration locks before it decides anything.
//
// 1. Advisory locks: users shared, then tokens and given ids. Of two who register the same token the second one waits
//    here, before its snapshot, and then sees the first one's device.
// 2. Row locks in the order of ids: the devices with the given ids and those that hold the tokens.
import * as v from 'valibot'
import type { ProviderName } from '../../config/provider-names.ts'
import type { Transaction } from '../../database/pool.ts'
import { decodeProvider, encodeProvider } from '../codes.ts'
import type { Registration } from '../registration.ts'
import { lockUsersShared } from '../user-lock.ts'
import { lockRegistrations } from './registration-lock.ts'

/** A device that is there; its row is locked. */
export interface StoredDevice {
  uuid: string
  provider: ProviderName
  token: string
  updatedAtSeconds: number
}

const Stored = v.pipe(
  v.object({
    id: v.string(),
    provider: v.pipe(v.number(), v.transform(decodeProvider)),
    token: v.string(),
    updated_at: v.number(),
  }),
  v.transform(
    ({ id, updated_at, ...columns }): StoredDevice => ({ uuid: id, updatedAtSeconds: updated_at, ...columns }),
  ),
)

/** What of a registration others may be about, too. */
export type Concern = Pick<Registration, 'uuid' | 'provider' | 'token' | 'user'>

/**
 * Locks what the registrations are about, to the end of the transaction, and resolves to the devices that are there.
 * @param lockTimeoutMs gives up when another transaction is in the way for longer; 0 waits
 */
export async function lockDevices(
  tx: Transaction,
  concerns: readonly Concern[],
  lockTimeoutMs: number,
): Promise<StoredDevice[]> {
  // Sent together, run in this order.
  const [, , rows] = await Promise.all([
    setLockTimeout(tx, lockTimeoutMs),
    lockNames(tx, concerns),
    lockRows(tx, concerns),
  ])
  return rows
}

async function setLockTimeout(tx: Transaction, lockTimeoutMs: number): Promise<void> {
  if (lockTimeoutMs > 0) await tx`select set_config('lock_timeout', ${String(lockTimeoutMs)}, true)`
}

/** The advisory locks: nobody registers these tokens and ids, or changes the topics of these users, meanwhile. */
export async function lockNames(tx: Transaction, concerns: readonly Concern[]): Promise<void> {
  // The list of everyone, '', does not reach devices that are there, so its changes need not wait for registrations.
  const users = concerns.map(({ user }) => user).filter((user) => user !== '')
  await Promise.all([lockUsersShared(tx, users), lockRegistrations(tx, concerns)])
}

/**
 * Each token is looked up by itself, which the limit makes sure of: a join would compute the digest of every token in the
 * table as long as its statistics say that it is small.
 */
async function lockRows(tx: Transaction, concerns: readonly Concern[]): Promise<StoredDevice[]> {
  const uuids = concerns.map(({ uuid }) => uuid).filter((uuid) => uuid !== undefined)
  const rows = await tx`
    with concerned as (
      select unnest(${uuids}::uuid[]) as id
      union
      select holder.id
      from unnest(${concerns.map(({ provider }) => encodeProvider(provider))}::smallint[],
        ${concerns.map(({ token }) => token)}::text[]) as given (provider, token)
      cross join lateral (
        select d.id from devices d
        where d.provider = given.provider and token_digest(d.token) = token_digest(given.token)
        limit 1
      ) as holder
    )
    select d.id, d.provider, d.token, floor(extract(epoch from d.updated_at))::float8 as updated_at
    from devices d where d.id in (select id from concerned)
    order by d.id
    for update of d`
  return rows.map((row) => v.parse(Stored, row))
}

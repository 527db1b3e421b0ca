// The locks that a registration takes before its changes are planned (plan-batch.ts).
//
// 1. Advisory locks: users (shared), then tokens and the device ids of the requests. Of two registrations of one token,
//    the second waits here. It reads devices only afterwards, so it sees the device of the first.
// 2. Row locks in the order of ids: the devices with these ids or with these tokens.
import * as v from 'valibot'
import type { ProviderName } from '../../config/provider-names.ts'
import type { Transaction } from '../../database/pool.ts'
import { decodeProvider, encodeProvider } from '../codes.ts'
import type { Registration } from '../registration.ts'
import { lockUsersShared } from '../user-lock.ts'
import { lockRegistrations } from './registration-lock.ts'

/** A stored device that the registration has found. Its row is locked. */
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

/** The fields of a registration that another registration may have in common with it; each of them is locked. */
export type Concern = Pick<Registration, 'uuid' | 'provider' | 'token' | 'user'>

/**
 * Locks the tokens, ids, users and devices of the registrations until the end of the transaction. Resolves to those
 * devices that are stored.
 * @param lockTimeoutMs how long to wait at most for a lock that another transaction holds; 0 for no limit
 */
export async function lockDevices(
  tx: Transaction,
  concerns: readonly Concern[],
  lockTimeoutMs: number,
): Promise<StoredDevice[]> {
  // The statements are sent without waiting for each other's answers; PostgreSQL runs them in this order.
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

/**
 * Takes the advisory locks: other transactions neither register these tokens and ids nor change these users' topics.
 */
export async function lockNames(tx: Transaction, concerns: readonly Concern[]): Promise<void> {
  // A change of everyone's topics ('') does not change stored devices, so it need not wait for registrations.
  const users = concerns.map(({ user }) => user).filter((user) => user !== '')
  await Promise.all([lockUsersShared(tx, users), lockRegistrations(tx, concerns)])
}

/**
 * Locks the rows of the devices with the ids or tokens. The `limit` makes PostgreSQL look up each token in the index.
 * Without it, as long as the statistics say that the table is small, a join would compute the digest of every token in
 * the table.
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

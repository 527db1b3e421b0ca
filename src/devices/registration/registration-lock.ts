// The advisory locks of tokens and given ids, held to the end of the transaction that registers them: they need not be
// stored, so there may be no row to lock.
import type { Queryable } from '../../database/pool.ts'
import type { Registration } from '../registration.ts'

/** Keeps these locks apart from others; two tokens with the same hash share a lock, which costs a short wait. */
const LOCK_CLASS = 1_919_252_339

/** Nobody else registers these tokens and given ids. Taken in one order by everybody, that of the keys. */
export async function lockRegistrations(
  sql: Queryable,
  registrations: readonly Pick<Registration, 'provider' | 'token' | 'uuid'>[],
): Promise<void> {
  const names = registrations.flatMap(({ provider, token, uuid }) => [`${provider} ${token}`, ...(uuid ? [uuid] : [])])
  await sql`
    select pg_advisory_xact_lock(${LOCK_CLASS}, key)
    from (select distinct hashtext(name) as key from unnest(${names}::text[]) as name order by key) as keys`
}

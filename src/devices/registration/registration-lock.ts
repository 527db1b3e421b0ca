// The advisory locks of tokens and of the ids that registrations name, held to the end of the transaction. Row locks
// are not enough: a new token or id has no row yet.
import type { Queryable } from '../../database/pool.ts'
import type { Registration } from '../registration.ts'

/**
 * The class id of the advisory locks of registrations. Two tokens with the same hash share a lock, which costs a short
 * wait.
 */
const LOCK_CLASS = 1_919_252_339

/** Locks tokens and ids. All transactions lock in the order of the locks' keys, so they cannot deadlock. */
export async function lockRegistrations(
  sql: Queryable,
  registrations: readonly Pick<Registration, 'provider' | 'token' | 'uuid'>[],
): Promise<void> {
  const names = registrations.flatMap(({ provider, token, uuid }) => [`${provider} ${token}`, ...(uuid ? [uuid] : [])])
  await sql`
    select pg_advisory_xact_lock(${LOCK_CLASS}, key)
    from (select distinct hashtext(name) as key from unnest(${names}::text[]) as name order by key) as keys`
}

// The advisory lock of a user's topics, held to the end of the transaction. A registration holds the shared lock while
// it copies the user's topics to a device. Other transactions cannot see that device yet, so a change of the user's
// topics takes the exclusive lock: otherwise the device would never get the change.
import type { Fragment, Queryable } from '../database/pool.ts'

/** The class id of the advisory locks of users. Two users with the same hash share a lock, which costs a short wait. */
const LOCK_CLASS = 1_667_591_796

/** Takes the exclusive lock of one user, for a change of the user's topics. */
export async function lockUser(sql: Queryable, user: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(${LOCK_CLASS}, hashtext(${user}))`
}

/**
 * Takes the shared locks of users while their topics are copied. Every transaction takes these locks in the order of
 * the users' hashes, so they cannot deadlock.
 */
export async function lockUsersShared(sql: Queryable, users: readonly string[]): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(${LOCK_CLASS}, hash) from ${hashesInOrder(sql, users)}`
}

/** Takes the exclusive locks of users for a change of their topics, in the order of the users' hashes. */
export async function lockUsers(sql: Queryable, users: readonly string[]): Promise<void> {
  await sql`select pg_advisory_xact_lock(${LOCK_CLASS}, hash) from ${hashesInOrder(sql, users)}`
}

function hashesInOrder(sql: Queryable, users: readonly string[]): Fragment {
  return sql`(
    select distinct hashtext(name) as hash from unnest(${[...users]}::text[]) as name order by hash
  ) as hashes`
}

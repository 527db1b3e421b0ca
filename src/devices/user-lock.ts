// The advisory lock of a user's topics, held to the end of the transaction. A registration copies the topics to a
// device that other transactions cannot see yet, under the shared lock. A change of the topics takes the exclusive
// lock. Without it, that device would never get the change.
import type { Fragment, Queryable } from '../database/pool.ts'

/** The class of these advisory locks. Two users with the same hash share a lock, which costs a short wait. */
const LOCK_CLASS = 1_667_591_796

/** Locks one user for a change of its topics. */
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

/** Locks users for a change of their topics, in the same order. */
export async function lockUsers(sql: Queryable, users: readonly string[]): Promise<void> {
  await sql`select pg_advisory_xact_lock(${LOCK_CLASS}, hash) from ${hashesInOrder(sql, users)}`
}

function hashesInOrder(sql: Queryable, users: readonly string[]): Fragment {
  return sql`(
    select distinct hashtext(name) as hash from unnest(${[...users]}::text[]) as name order by hash
  ) as hashes`
}

// The advisory lock of a user, held to the end of the transaction. Shared by those who copy the user's topics to a device
// that others can't see yet, exclusive for who changes them: else such a device could miss the change for good.
import type { Fragment, Queryable } from '../database/pool.ts'

/** Keeps these locks apart from others; two users with the same hash share a lock, which costs a short wait. */
const LOCK_CLASS = 1_667_591_796

export async function lockUser(sql: Queryable, user: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(${LOCK_CLASS}, hashtext(${user}))`
}

/** For several users at once. Everybody takes several in the order of their hashes, so that nobody waits in a circle. */
export async function lockUsersShared(sql: Queryable, users: readonly string[]): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(${LOCK_CLASS}, hash) from ${hashesInOrder(sql, users)}`
}

export async function lockUsers(sql: Queryable, users: readonly string[]): Promise<void> {
  await sql`select pg_advisory_xact_lock(${LOCK_CLASS}, hash) from ${hashesInOrder(sql, users)}`
}

function hashesInOrder(sql: Queryable, users: readonly string[]): Fragment {
  return sql`(select distinct hashtext(name) as hash from unnest(${[...users]}::text[]) as name order by hash) as hashes`
}

// The advisory lock of a user, held to the end of the transaction. Shared by those who copy the user's topics to a device
// that others can't see yet, exclusive for who changes them: else such a device could miss the change for good.
import type { Queryable } from '../database/pool.ts'

/** Keeps these locks apart from others; two users with the same hash share a lock, which costs a short wait. */
const LOCK_CLASS = 1_667_591_796

export async function lockUserShared(sql: Queryable, user: string): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(${LOCK_CLASS}, hashtext(${user}))`
}

export async function lockUser(sql: Queryable, user: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(${LOCK_CLASS}, hashtext(${user}))`
}

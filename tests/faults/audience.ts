import type { Sql } from '../../src/database/pool.ts'

/** The devices that are subscribed to a topic, each of its own user. */
export interface Audience {
  topic: string
  /** The tokens of all its devices. */
  tokens: ReadonlySet<string>
}

/** The user of the device with `token`. */
export function userOf(token: string): string {
  return `user-${token}`
}

/**
 * Stores an audience, unless an earlier rig has stored it in the same database. It uses SQL, because a hundred thousand
 * registrations would take longer than the cases. The simulator answers late to tokens that start with `slow-`.
 */
export async function storeAudience(sql: Sql, topic: string, count: number): Promise<Audience> {
  const inserted = await sql`insert into topics (name) values (${topic}) on conflict do nothing returning id`
  if (inserted.length > 0) {
    await sql`
      with added as (
        insert into devices (id, created_at, updated_at, registered_at, provider, platform, token, user_id)
        select gen_random_uuid(), now(), now(), now(), 1, 2, t.token, 'user-' || t.token
        from generate_series(1, ${count}::int) as i cross join lateral (select ${topic}::text || '-' || i as token) as t
        returning id
      )
      insert into device_topics (topic_id, device_id) select t.id, a.id from topics t, added a where t.name = ${topic}`
    await sql`analyze devices, device_topics`
  }
  return { topic, tokens: new Set(Array.from({ length: count }, (_, index) => `${topic}-${index + 1}`)) }
}

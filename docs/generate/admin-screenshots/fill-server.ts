// The sample data of the screenshots.
import * as v from 'valibot'
import type { Sql } from '../../../src/database/pool.ts'

const Answer = v.object({ result: v.object({ id: v.optional(v.string(), '') }) })

/** The devices of the broadcast. */
const SUBSCRIBERS = 12_480

/** Posts the forms of the web UI. */
export type FormClient = (path: string, fields: Record<string, string>) => Promise<unknown>

/** Fills the server as an app and its operators would. Resolves to the id of a device. */
export async function fillServer(url: string, sql: Sql, post: FormClient): Promise<string> {
  const call = async (method: string, body: object) => {
    const answer = await fetch(`${url}/api/${method}`, { method: 'POST', body: JSON.stringify(body) })
    return v.parse(Answer, await answer.json()).result.id
  }
  const users = ['ada', 'grace', 'linus', 'margaret', 'dennis', 'barbara', 'edsger', 'radia'].map(
    (name) => `${name}@example.com`,
  )
  const kinds = [
    ['fcm', 'android'],
    ['apns', 'ios'],
    ['hms', 'android'],
  ] as const
  const ids: string[] = []
  for (const [index, user] of users.entries()) {
    const [provider, platform] = kinds[index % kinds.length] ?? kinds[0]
    ids.push(
      await call('device_register', {
        provider,
        platform,
        user,
        // Tokens of APNs are hexadecimal.
        token: `${index}f3a9`.padStart(64, '0'),
        topics: ['news', index % 2 === 0 ? 'sport:football' : 'weather'],
        timezone: ['Europe/Berlin', 'America/New_York', 'Asia/Tokyo'][index % 3],
        locale: index % 2 === 0 ? 'en' : 'de',
        meta: { plan: index % 2 === 0 ? 'gold' : 'free' },
      }),
    )
  }
  const [device = ''] = ids
  await sql`
    with stored as (
      insert into devices (id, created_at, updated_at, registered_at, provider, platform, token, user_id)
      select gen_random_uuid(), now(), now(), now(), 1, 2, md5(n::text), 'reader-' || n || '@example.com'
      from generate_series(1, ${SUBSCRIBERS}::int) as n returning id
    )
    insert into device_topics (device_id, topic_id) select stored.id, topics.id from stored, topics where name = 'news'`
  await sql`analyze devices, device_topics`
  const notification = (title: string, body: string) => ({
    fcm: { message: { notification: { title, body } } },
    apns: { payload: { aps: { alert: { title, body } } } },
  })
  const send = (uid: string, filter: object, title: string, more: object = {}) =>
    call('send_push_notification', {
      uid,
      recipient: { filter },
      notification: notification(title, 'Read more in the app'),
      ...more,
    })
  const limit = {
    limit_strategy: {
      rate_limit: {
        key: 'offers {{.device.user}}',
        policies: [{ rate: 1, interval_ms: 86_400_000 }],
        drop_if_rate_limited: true,
      },
    },
  }
  await send('morning-news', { topics: ['news'] }, 'Good morning')
  await sql`select pg_sleep(4)`
  await send('order-4711', { users: ['ada@example.com'] }, 'Your order is on its way')
  await send('noon-offer', { users: ['grace@example.com'] }, 'An offer', limit)
  await sql`select pg_sleep(1)`
  await send('evening-offer', { users: ['grace@example.com'] }, 'Another offer', limit)
  await send('weekend', { topics: ['weather'] }, 'The weekend', { send_at: Math.floor(Date.now() / 1000) + 86_400 })
  await sql`select pg_sleep(2)`
  for (const status of ['delivered', 'interacted']) {
    await call('update_push_status', { analytics_uid: 'order-4711', status, device_id: device })
  }
  for (const table of ['push_sends', 'push_reports']) {
    await sql`
      update ${sql(table)} set delivered = ${Math.round(SUBSCRIBERS * 0.83)}, interacted = ${Math.round(SUBSCRIBERS * 0.19)}
      where uid = 'morning-news'`
  }
  await sql`
    insert into notification_counts (minute, provider, type, platform, status, error_code, count)
    select date_trunc('minute', now()) - n * interval '20 minutes', provider, 'token', platform, status, code,
      (share * (1.2 + sin(n / 9.0)) * (1 + (n * 7919 % 13) / 20.0))::int
    from generate_series(1, 71) as n, (values ('fcm', 'android'), ('apns', 'ios')) as p (provider, platform),
      (values ('sent', '', 4000), ('delivered', '', 3300), ('interacted', '', 700), ('failed', 'UNREGISTERED', 90), ('failed', 'UNAVAILABLE', 20),
        ('dropped', 'rate_limited', 160)) as s (status, code, share)
    on conflict do nothing`
  await sql`
    insert into notification_hours (hour, provider, type, platform, status, error_code, count)
    select date_bin('1 hour', minute, to_timestamp(0)), provider, type, platform, status, error_code, sum(count)
    from notification_counts group by 1, 2, 3, 4, 5, 6
    on conflict (hour, provider, type, platform, status, error_code) do update set count = excluded.count`
  await sql`
    insert into push_dead_letters
      (uid, lane, provider, target_kind, target_count, targets, reason, attempts, given_up_at)
    select uid, lane, 'fcm', 'token', 412, '', 'UNAVAILABLE', 7, now() - interval '2 hours'
    from push_sends where uid = 'weekend'`
  await sql`
    with removed as (delete from devices where user_id like 'reader-1__@example.com' returning *)
    insert into removed_devices (removed_at, provider, reason, device)
    select now() - random() * interval '3 days', provider, 'UNREGISTERED', to_jsonb(removed) || '{"topics": ["news"]}' from removed limit 12`
  await post('/queue/pause', { provider: 'hms', reason: 'Maintenance of Push Kit until 18:00' })
  await post(`/devices/${device}/topics`, { topics: 'news\nsport:football' })
  await post('/topics/user', { user: 'ada@example.com', op: 'add', topics: 'account' })
  return device
}

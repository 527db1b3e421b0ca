// Makes the screenshots of docs/admin.md: npm run docs:screenshots. Needs Debian's Chromium.
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium } from 'playwright-core'
import * as v from 'valibot'
import { withDatabase } from '../../bench/harness/with-database.ts'
import { assemble } from '../../src/assemble.ts'
import { parseConfig } from '../../src/config/load.ts'
import type { Sql } from '../../src/database/pool.ts'
import { makeLogger } from '../../src/observability/log.ts'

const CHROMIUM = '/usr/bin/chromium'
const DIRECTORY = fileURLToPath(new URL('../images/admin/', import.meta.url))
const DESKTOP = { width: 960, height: 560 }
const PHONE = { width: 375, height: 720 }

interface Shot {
  name: string
  path: string
  theme: 'light' | 'dark'
  size: { width: number; height: number }
}

const Answer = v.object({ result: v.object({ id: v.optional(v.string(), '') }) })

const logger = makeLogger({ level: 'error', file: '' })

await mkdir(DIRECTORY, { recursive: true })
await withDatabase(logger, async ({ sql, dsn }) => {
  const config = parseConfig({
    http_server: { address: '127.0.0.1', port: 0 },
    http_api: { insecure: true },
    admin: { enabled: true, insecure: true },
    database: { postgresql: { dsn } },
    postgresql_analytics: { rows: 'all' },
    worker: { processes: 1 },
    log: { level: 'error' },
  })
  const server = await assemble({ config, role: 'all', logger })
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  try {
    const [url = ''] = server.urls
    const device = await fill(url, sql)
    await takeAll(browser, `${url}/admin`, listShots(device))
  } finally {
    await browser.close()
    await server.stop(0)
  }
})

function listShots(device: string): Shot[] {
  const shot = (name: string, path: string, theme: Shot['theme'], size = DESKTOP) => ({ name, path, theme, size })
  const draft = '/new-push?topic=news&title=Good+evening&body=The+news+of+the+day'
  return [
    shot('overview-light', '', 'light'),
    shot('overview-dark', '', 'dark'),
    shot('overview-phone', '', 'dark', PHONE),
    shot('sends-light', '/sends', 'light'),
    shot('send-dark', '/send?uid=order-4711', 'dark'),
    shot('explain-light', '/explain?uid=evening-offer&user=grace%40example.com', 'light'),
    shot('new-push-light', draft, 'light'),
    shot('check-light', draft, 'light'),
    shot('devices-dark', '/devices', 'dark'),
    shot('device-light', `/devices/${device}`, 'light'),
    shot('topics-light', '/topics?topic=news', 'light'),
    shot('queue-light', '/queue', 'light'),
    shot('queue-phone', '/queue', 'light', PHONE),
    shot('analytics-dark', '/analytics?range=24h', 'dark'),
    shot('configuration-light', '/configuration?search=postgresql', 'light'),
    shot('actions-dark', '/actions', 'dark'),
  ]
}

async function takeAll(browser: Browser, base: string, shots: readonly Shot[]): Promise<void> {
  const page = await browser.newPage({ timezoneId: 'UTC', locale: 'en-GB', reducedMotion: 'reduce' })
  for (const { name, path, theme, size } of shots) {
    await page.emulateMedia({ colorScheme: theme })
    await page.setViewportSize(size)
    await page.goto(base + path)
    if (name.startsWith('check')) await page.getByRole('button', { name: 'Preview and count' }).click()
    await page.waitForLoadState()
    await page.screenshot({ path: `${DIRECTORY}${name}.png` })
  }
}

/** Fills the server as an app would. Resolves to the id of a device. */
async function fill(url: string, sql: Sql): Promise<string> {
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
  await send('order-4711', { users: ['ada@example.com'] }, 'Your order is on its way')
  await send('noon-offer', { users: ['grace@example.com'] }, 'An offer', limit)
  await sql`select pg_sleep(1)`
  await send('evening-offer', { users: ['grace@example.com'] }, 'Another offer', limit)
  await send('weekend', { topics: ['weather'] }, 'The weekend', { send_at: Math.floor(Date.now() / 1000) + 86_400 })
  await sql`select pg_sleep(2)`
  for (const status of ['delivered', 'interacted']) {
    await call('update_push_status', { analytics_uid: 'order-4711', status, device_id: device })
  }
  await sql`
    insert into notification_counts (minute, provider, type, platform, status, error_code, count)
    select date_trunc('minute', now()) - n * interval '20 minutes', provider, 'token', platform, status, code,
      (share * (1.2 + sin(n / 9.0)) * (1 + (n * 7919 % 13) / 20.0))::int
    from generate_series(1, 71) as n, (values ('fcm', 'android'), ('apns', 'ios')) as p (provider, platform),
      (values ('sent', '', 4000), ('failed', 'UNREGISTERED', 90), ('failed', 'UNAVAILABLE', 20),
        ('dropped', 'rate_limited', 160)) as s (status, code, share)
    on conflict do nothing`
  await sql`
    insert into push_dead_letters (uid, lane, provider, target_kind, target_count, targets, reason, attempts, given_up_at)
    select uid, lane, 'fcm', 'token', 412, '', 'UNAVAILABLE', 7, now() - interval '2 hours'
    from push_sends where uid = 'weekend'`
  const post = (path: string, fields: Record<string, string>) =>
    fetch(`${url}/admin${path}`, {
      method: 'POST',
      headers: { 'sec-fetch-site': 'same-origin' },
      body: new URLSearchParams(fields),
      redirect: 'manual',
    })
  await post('/queue/pause', { provider: 'hms', reason: 'Maintenance of Push Kit until 18:00' })
  await post(`/devices/${device}/topics`, { topics: 'news\nsport:football' })
  await post('/topics/user', { user: 'ada@example.com', op: 'add', topics: 'account' })
  return device
}

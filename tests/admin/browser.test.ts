// The web UI in Chromium, with a simulated FCM. Without Chromium at its place in Debian these tests do not run.
import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startFcmSimulator, type TestFcmSimulator } from '../support/fcm-simulator.ts'
import { findViolations } from './accessibility.ts'
import { type AdminRig, PASSWORD, startAdminRig, VIEWER_PASSWORD } from './admin-rig.ts'

const Registered = v.object({ result: v.object({ id: v.string() }) })

const CHROMIUM = '/usr/bin/chromium'
const hasChromium = existsSync(CHROMIUM)
if (!hasChromium) console.warn(`admin: tests in a browser are skipped, because ${CHROMIUM} does not exist`)

/** The devices of the broadcast that is watched. */
const BROADCAST_DEVICES = Number(process.env.ADMIN_BROADCAST_DEVICES ?? 5000)
/** Enough for the broadcast, also on a busy machine. */
const WATCH_MS = 60_000 + BROADCAST_DEVICES
const SLOW_MS = 400
/** The page before a push is sent. */
const CHECK = '/new-push?user=grace&title=Hello'
/** Several times as many as a worker has in flight. */
const SLOW_DEVICES = 20_000

describe.skipIf(!hasChromium)('in Chromium', () => {
  let rig: AdminRig
  let fcm: TestFcmSimulator
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let base: string
  let device: string
  const problems: string[] = []

  const newPage = async (owner: BrowserContext) => {
    const opened = await owner.newPage()
    opened.on('pageerror', (error) => problems.push(error.message))
    opened.on('console', (message) => {
      // A refused inline script or style is an error on the console too.
      if (message.type() === 'error') problems.push(message.text())
    })
    return opened
  }

  const logIn = async (target: Page, password: string) => {
    await target.goto(`${base}/login`)
    await target.getByLabel('Password').fill(password)
    await target.getByRole('button', { name: 'Log in' }).click()
    await target.getByRole('heading', { name: 'Overview' }).waitFor()
  }

  beforeAll(async () => {
    fcm = await startFcmSimulator({ slowMs: SLOW_MS })
    const { origin, files } = fcm.simulator
    rig = await startAdminRig({
      push_notifications: {
        fcm: { credentials_file: files.credentials, ca_file: files.ca, push_endpoint: origin, auth_endpoint: origin },
      },
    })
    base = `${rig.server.url}/admin`
    const register = (user: string, more: object = {}) =>
      rig.server.post('/device_register', {
        provider: 'fcm',
        platform: 'android',
        token: `token-of-${user}`,
        user,
        topics: ['news'],
        ...more,
      })
    await register('ada')
    const registered = await register('grace', {
      platform: 'ios',
      meta: { plan: 'gold' },
      timezone: 'Europe/Berlin',
      locale: 'de',
    })
    device = v.parse(Registered, await registered.json()).result.id
    await rig.database.sql`
      insert into devices (id, created_at, updated_at, registered_at, provider, platform, token, user_id)
      select gen_random_uuid(), now(), now(), now(), 1, 2, 'token-of-all-' || n, 'all'
      from generate_series(1, ${BROADCAST_DEVICES}::int) as n`
    await rig.database.sql`
      insert into devices (id, created_at, updated_at, registered_at, provider, platform, token, user_id)
      select gen_random_uuid(), now(), now(), now(), 1, 2, 'slow-' || n, 'slow' from generate_series(1, ${SLOW_DEVICES}::int) as n`
    await rig.database.sql`analyze devices`
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
    context = await browser.newContext({ reducedMotion: 'reduce' })
    page = await newPage(context)
    await logIn(page, PASSWORD)
  })

  afterAll(async () => {
    await browser.close()
    await rig.stop()
    await fcm.stop()
  })

  test('a wrong password is refused, and the right one shows the page that was asked for', async () => {
    const other = await browser.newContext()
    const visitor = await other.newPage()
    await visitor.goto(`${base}/devices?user=ada`)
    await visitor.getByLabel('Password').fill('wrong')
    await visitor.getByRole('button', { name: 'Log in' }).click()
    await visitor.getByText('This is not the password.').waitFor()
    await visitor.getByLabel('Password').fill(PASSWORD)
    await visitor.getByRole('button', { name: 'Log in' }).click()
    await visitor.getByRole('heading', { name: 'Devices' }).waitFor()
    expect(visitor.url()).toContain('user=ada')
    await other.close()
  })

  test('devices are filtered, and a test push to one arrives at FCM', async () => {
    await page.goto(`${base}/devices`)
    await page.getByLabel('User').fill('grace')
    await page.getByRole('button', { name: 'Show' }).click()
    await page.getByRole('link', { name: /-fcm$/ }).click()
    await page.getByText('Send a test push…').click()
    await page.getByLabel('Title').fill('From the browser')
    await page.getByRole('button', { name: 'Send to this device' }).click()
    await page.getByText('The send is accepted.').waitFor()
    await page.locator('#send-state .state-ended').waitFor()
    const arrived = fcm.simulator.accepted.find(({ target }) => target === 'token-of-grace')
    expect(arrived?.body).toContain('From the browser')
  })

  test(`a broadcast to ${BROADCAST_DEVICES} devices is watched until it ends`, { timeout: 2 * WATCH_MS }, async () => {
    await page.goto(`${base}/new-push?user=all&title=To%20all&provider=fcm`)
    await page.getByRole('button', { name: 'Preview and count' }).click()
    await page.getByLabel(/^Type /).fill(String(BROADCAST_DEVICES))
    await page.getByRole('button', { name: /^Send to / }).click()
    await page.getByText('The send is accepted.').waitFor()
    // No reload: events change the page.
    await page.locator('#send-state .state-ended').waitFor({ timeout: WATCH_MS })
    const row = page.locator('#send-state tr', { hasText: 'accepted by the provider' })
    expect(await row.locator('td').last().textContent()).toBe(BROADCAST_DEVICES.toLocaleString('en'))
    const arrived = fcm.simulator.accepted.flatMap(({ target }) => (target.startsWith('token-of-all-') ? target : []))
    expect(new Set(arrived).size).toBe(BROADCAST_DEVICES)
  })

  test('a broadcast in flight is cancelled', async () => {
    await rig.server.post('/send_push_notification', {
      uid: 'in-flight',
      recipient: { filter: { users: ['slow'], providers: ['fcm'] } },
      notification: { fcm: { message: { notification: { title: 'Slow' } } } },
    })
    await page.goto(`${base}/send?uid=in-flight`)
    await expect.poll(() => fcm.simulator.accepted.some(({ target }) => target.startsWith('slow-'))).toBe(true)
    await page.getByText('Cancel…').click()
    await page.getByRole('button', { name: 'Cancel the whole send' }).click()
    await page.getByText('The send is cancelled.').waitFor()
    await page.locator('#send-state .state-cancelled').first().waitFor()
    const after = fcm.simulator.accepted.filter(({ target }) => target.startsWith('slow-')).length
    expect(after).toBeLessThan(SLOW_DEVICES)
  })

  test('dead letters that match a filter are sent again, and arrive', async () => {
    await rig.server.post('/send_push_notification', {
      uid: 'given-up',
      recipient: { filter: { users: ['ada'] } },
      notification: { fcm: { message: { notification: { title: 'Again' } } } },
      send_at: Math.floor(Date.now() / 1000) + 3600,
    })
    await rig.database.sql`
      insert into push_dead_letters (uid, lane, provider, target_kind, target_count, targets, reason, attempts, given_up_at)
      select 'given-up', lane, 'fcm', 'token', 1, d.id || E'\tsecond-token\tada\tandroid', 'UNAVAILABLE', 5, now()
      from push_sends s, devices d where s.uid = 'given-up' and d.user_id = 'ada'`
    await page.goto(`${base}/queue?uid=given-up`)
    await page.getByText('1 dead letter with 1 target in this selection.').waitFor()
    await page.getByText('Send all that match again…').click()
    await page.getByRole('button', { name: 'Send 1 target again' }).click()
    await page.getByText('Targets that are sent again: 1.').waitFor()
    await expect
      .poll(() => fcm.simulator.accepted.some(({ target }) => target === 'second-token'), { timeout: 20_000 })
      .toBe(true)
  })

  test('a push that a limit dropped is explained', async () => {
    const limited = (uid: string) => ({
      uid,
      recipient: { filter: { users: ['grace'] } },
      notification: { fcm: { message: { notification: { title: uid } } } },
      limit_strategy: {
        rate_limit: {
          key: 'limited {{.device.user}}',
          policies: [{ rate: 1, interval_ms: 3_600_000 }],
          drop_if_rate_limited: true,
        },
      },
    })
    await rig.server.post('/send_push_notification', limited('first-limited'))
    await expect
      .poll(() => fcm.simulator.accepted.some(({ body }) => body.includes('first-limited')), { timeout: 20_000 })
      .toBe(true)
    await rig.server.post('/send_push_notification', limited('second-limited'))
    await page.goto(`${base}/send?uid=second-limited`)
    await page.locator('#send-state .state-ended').waitFor()
    await page.getByRole('link', { name: 'Why did it not arrive?' }).last().click()
    await page.getByLabel('User').fill('grace')
    await expect
      .poll(
        async () => {
          await page.getByRole('button', { name: 'Show' }).click()
          return await page.locator('.answer h2').textContent()
        },
        { timeout: 20_000 },
      )
      .toBe('The rate limit of the send dropped the push.')
  })

  test('a viewer sees no change, and a stolen form is refused', async () => {
    const other = await browser.newContext()
    const viewer = await newPage(other)
    await logIn(viewer, VIEWER_PASSWORD)
    for (const path of ['/queue', '/devices', '/send?uid=in-flight', '/topics']) {
      await viewer.goto(`${base}${path}`)
      expect(await viewer.locator('details.action').count(), path).toBe(0)
    }
    const status = await viewer.evaluate(async (url) => {
      const answer = await fetch(url, { method: 'POST', body: new URLSearchParams({ provider: 'fcm', reason: 'x' }) })
      return answer.status
    }, `${base}/queue/pause`)
    expect(status).toBe(403)
    problems.splice(
      problems.findIndex((problem) => problem.includes('403')),
      1,
    )
    await other.close()
  })

  test('a page of another site can not show the web UI in a frame', async () => {
    const other = await browser.newContext()
    const evil = await other.newPage()
    await evil.route('http://evil.example/', (route) =>
      route.fulfill({ contentType: 'text/html', body: `<iframe src="${base}/queue"></iframe>` }),
    )
    await evil.goto('http://evil.example/')
    await expect.poll(() => evil.frames().at(1)?.url()).toMatch(/^chrome-error:/)
    await other.close()
  })

  test('the theme is kept, also without a script', async () => {
    const other = await browser.newContext({ javaScriptEnabled: false, storageState: await context.storageState() })
    const plain = await other.newPage()
    await plain.goto(`${base}/queue`)
    await plain.getByRole('button', { name: 'dark' }).click()
    expect(new URL(plain.url()).pathname).toBe('/admin/queue')
    expect(await plain.locator('html').getAttribute('data-theme')).toBe('dark')
    await other.close()
  })

  const open = async (target: Page, path: string) => {
    await target.goto(base + path.replace('DEVICE', device))
    if (path === CHECK) await target.getByRole('button', { name: 'Preview and count' }).click()
    await target.getByRole('heading', { level: 1 }).waitFor()
  }

  const PATHS = [
    '',
    '/sends',
    '/send?uid=in-flight',
    '/explain',
    '/explain?uid=in-flight&user=ada',
    '/new-push',
    CHECK,
    '/devices',
    '/devices?user=grace',
    '/devices/DEVICE',
    '/removed-devices',
    '/topics',
    '/topics?topic=news',
    '/queue',
    '/analytics?range=1h',
    '/configuration?shows=all',
    '/actions',
    '/nowhere',
  ]

  test.each(['light', 'dark'] as const)(
    'no page breaks a rule of accessibility in the theme %s',
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      for (const path of PATHS) {
        await open(page, path)
        await page.evaluate('for (const details of document.querySelectorAll("details")) details.open = true')
        // The themes have the same elements in other colors.
        expect(await findViolations(page, colorScheme === 'light' ? 'all' : 'colors'), path).toEqual([])
      }
      const other = await browser.newContext({ colorScheme, reducedMotion: 'reduce' })
      const visitor = await other.newPage()
      await open(visitor, '/login')
      expect(await findViolations(visitor)).toEqual([])
      await other.close()
      problems.splice(0, problems.length, ...problems.filter((problem) => !problem.includes('404')))
    },
  )

  test('no page is wider than a phone of 375 px', async () => {
    await page.setViewportSize({ width: 375, height: 700 })
    for (const path of PATHS) {
      await open(page, path)
      expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBe(375)
    }
  })

  test('no script failed, and the policy for contents refused nothing', () => {
    expect(problems.filter((problem) => !problem.includes('404'))).toEqual([])
  })
})

// The script of the web UI in Chromium. Without Chromium at its place in Debian these tests do not run.
import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AdminRig, PASSWORD, startAdminRig } from './admin-rig.ts'

const CHROMIUM = '/usr/bin/chromium'

describe.skipIf(!existsSync(CHROMIUM))('in Chromium', () => {
  let rig: AdminRig
  let browser: Browser
  let context: BrowserContext
  let base: string

  beforeAll(async () => {
    rig = await startAdminRig()
    base = `${rig.server.url}/admin`
    for (const user of ['ada', 'grace']) {
      await rig.server.post('/device_register', {
        provider: 'fcm',
        platform: 'android',
        token: `token-of-${user}`,
        user,
      })
    }
    await rig.server.post('/send_push_notification', {
      recipient: { filter: { users: ['ada'] } },
      notification: { fcm: { message: { notification: { title: 'Hello' } } } },
    })
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
    context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`${base}/login`)
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
  })

  afterAll(async () => {
    await browser.close()
    await rig.stop()
  })

  test('while a push is written, its page counts the devices and says what is wrong', async () => {
    const page = await context.newPage()
    await page.goto(`${base}/new-push`)
    await page.getByLabel('Users').fill('grace')
    await page.getByText('1 device matches now.').waitFor()
    await page.getByLabel('Users').fill('grace, ada')
    await page.getByText('2 devices match now.').waitFor()
    await page.getByText('JSON of single providers').click()
    await page.getByLabel('fcm', { exact: true }).fill('{"message": ')
    await page.getByText(/^fcm: .*JSON/).waitFor()
  })

  test('times are shown and written in the zone of the reader', async () => {
    const storageState = await context.storageState()
    const other = await browser.newContext({ timezoneId: 'Asia/Tokyo', locale: 'en-GB', storageState })
    const reader = await other.newPage()
    await reader.goto(`${base}/sends?from=2020-01-01T20:00`)
    const from = reader.getByLabel('Accepted from (Asia/Tokyo)')
    expect(await from.inputValue()).toBe('2020-01-02T05:00')
    await from.fill('2020-01-02T06:30')
    await reader.getByRole('button', { name: 'Show' }).click()
    await reader.waitForURL((url) => url.searchParams.get('from') === '2020-01-01T21:30')
    const time = reader.locator('#send-rows time').first()
    const iso = (await time.getAttribute('datetime')) ?? ''
    const inTokyo = new Date(Date.parse(iso) + 9 * 3_600_000).getUTCHours()
    expect(await time.textContent()).toContain(`, ${String(inTokyo).padStart(2, '0')}:`)
    await other.close()
  })

  test('on a phone the menu opens at a tap, also without a script', async () => {
    const storageState = await context.storageState()
    const other = await browser.newContext({
      viewport: { width: 375, height: 700 },
      javaScriptEnabled: false,
      storageState,
    })
    const phone = await other.newPage()
    await phone.goto(`${base}/queue`)
    const link = phone.getByRole('link', { name: 'Devices' })
    expect(await link.isVisible()).toBe(false)
    await phone.getByRole('button', { name: 'Menu' }).click()
    await link.click()
    await phone.getByRole('heading', { name: 'Devices' }).waitFor()
    await other.close()
  })
})

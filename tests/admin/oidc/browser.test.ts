// The login at an OpenID provider in Chromium, which keeps the rules of cookies and of the policy for contents. Without
// Chromium at its place in Debian these tests do not run.
import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findFreePort } from '../../support/centripush-process.ts'
import { findViolations } from '../accessibility.ts'
import { type AdminRig, makeClient } from '../admin-rig.ts'
import { type IdentityServer, type PersonName, startIdentityServer } from './identity-server.ts'
import { answerAs, begin, startOidcRig } from './oidc-rig.ts'

const CHROMIUM = '/usr/bin/chromium'

describe.skipIf(!existsSync(CHROMIUM))('in Chromium', () => {
  let identity: IdentityServer
  let rig: AdminRig
  let browser: Browser
  let base: string
  const problems: string[] = []

  const openLogin = async (context: BrowserContext, path: string) => {
    const page = await context.newPage()
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
    await page.goto(base + path)
    return page
  }

  const logIn = async (context: BrowserContext, person: PersonName, path: string) => {
    const page = await openLogin(context, path)
    await page.getByRole('link', { name: 'Log in with Keycloak' }).click()
    await page.getByRole('link', { name: `I am ${person}` }).click()
    return page
  }

  beforeAll(async () => {
    // The web UI is on another site than the identity server: localhost and 127.0.0.1.
    // The address of the callback has to be known before the server starts.
    const port = await findFreePort()
    base = `http://localhost:${port}/admin`
    const redirectUri = `${base}/oidc/callback`
    identity = await startIdentityServer([redirectUri])
    rig = await startOidcRig(
      identity.issuer,
      { redirect_uri: redirectUri },
      { http_server: { port }, admin: { password: '', viewer_password: '' } },
    )
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  })

  afterAll(async () => {
    await browser.close()
    await rig.stop()
    await identity.stop()
  })

  test('an administrator comes to the page that was asked for, and may change things', async () => {
    const context = await browser.newContext()
    const page = await logIn(context, 'ada', '/queue?uid=x')
    await page.getByRole('heading', { name: 'Queue' }).waitFor()
    expect(page.url()).toBe(`${base}/queue?uid=x`)
    await page.getByText('ada@example.com (ada)').waitFor()
    expect(await page.locator('details.action').count()).toBeGreaterThan(0)
    expect(await postPause(page)).toBe(200)
    await context.close()
  })

  test('a viewer sees no change, and gets 403 for one', async () => {
    const context = await browser.newContext()
    const page = await logIn(context, 'grace', '/queue')
    await page.getByText('Viewer: changes nothing').waitFor()
    expect(await page.locator('details.action').count()).toBe(0)
    expect(await postPause(page)).toBe(403)
    await context.close()
  })

  test('a person without access is told so', async () => {
    const context = await browser.newContext()
    const page = await logIn(context, 'mallory', '')
    await page.getByText('mallory@example.com (mallory), but this person has no access').waitFor()
    await context.close()
  })

  test('a login works without a script, and a logout ends it', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await logIn(context, 'ada', '/devices')
    await page.getByRole('heading', { name: 'Devices' }).waitFor()
    const cookies = await context.cookies()
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('link', { name: 'Log in with Keycloak' }).waitFor()
    await context.addCookies(cookies)
    await page.goto(`${base}/devices`)
    await page.getByRole('link', { name: 'Log in with Keycloak' }).waitFor()
    await context.close()
  })

  test('a page of another site can not end a login that it has begun (login CSRF)', async () => {
    const attacker = makeClient(base)
    const callback = await answerAs(await begin(attacker), 'ada')
    const victim = await browser.newContext()
    const evil = await victim.newPage()
    await evil.route('http://evil.example/', (route) =>
      route.fulfill({ contentType: 'text/html', body: `<a href="${callback.href}">A prize</a>` }),
    )
    await evil.goto('http://evil.example/')
    await evil.getByRole('link').click()
    await evil.getByText('This answer belongs to no login').waitFor()
    expect((await victim.cookies()).map(({ name }) => name)).toEqual([])
    await victim.close()
  })

  test.each(['light', 'dark'] as const)('the login breaks no rule of accessibility in the theme %s', async (scheme) => {
    const context = await browser.newContext({ colorScheme: scheme, viewport: { width: 375, height: 700 } })
    const page = await openLogin(context, '')
    expect(await findViolations(page)).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(375)
    await context.close()
  })

  test('no script failed, and the policy for contents refused nothing', () => {
    expect(problems.filter((problem) => !/403|ERR_FAILED/.test(problem))).toEqual([])
  })
})

/** Pauses a provider as the page does. Resolves to the status after redirects. */
function postPause(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const body = new URLSearchParams({ provider: 'fcm', reason: 'test' })
    return (await fetch('/admin/queue/pause', { method: 'POST', body })).status
  })
}

// The chat of examples/, with a node and in Chromium: who sees a message, and whose phone rings.
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Chat, startChat } from '../../examples/chat/chat-server.ts'
import { makePhones } from '../../examples/chat/phones.ts'
import { WebPushSimulator } from '../../src/simulators/webpush/webpush-simulator.ts'
import { startAssembly, TEST_KEY, type TestAssembly } from '../../tests/support/assembly.ts'
import { findFreePort } from '../../tests/support/centripush-process.ts'
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts'
import { noteSecrets } from '../../tests/support/run-log.ts'
import { toolsOf } from '../sdk/toolchain.ts'
import { NODE_JWT_SECRET, NODE_KEY, prepareTestNode, type TestNode } from './test-node.ts'

const CHROMIUM = '/usr/bin/chromium'
const PROXY_KEY = 'key-of-the-proxy'
const DELAY_MS = 1500

const toolchain = await prepareTestNode()
const missing = toolchain.missing || (existsSync(CHROMIUM) ? false : `${CHROMIUM} is not installed`)
if (missing) console.warn(`SKIPPED: ${missing}`)

describe.skipIf(missing)('in the chat', () => {
  let directory: string
  let database: TestDatabase
  let simulator: WebPushSimulator
  let node: TestNode
  let server: TestAssembly
  let chat: Chat
  let browser: Browser
  const contexts: BrowserContext[] = []

  beforeAll(async () => {
    noteSecrets([PROXY_KEY, NODE_JWT_SECRET])
    directory = await mkdtemp(join(tmpdir(), 'centripush-chat-'))
    const port = await findFreePort()
    ;[database, simulator, node, browser] = await Promise.all([
      createTestDatabase(),
      WebPushSimulator.start({ directory }),
      toolsOf(toolchain)({
        push: {
          endpoint: `http://127.0.0.1:${port}/proxy/rpc`,
          static_headers: { 'X-Centripush-Proxy-Key': PROXY_KEY },
        },
      }),
      chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] }),
    ])
    server = await startAssembly(database.dsn, {
      http_server: { port },
      rpc_proxy: { key: PROXY_KEY },
      upstream: { address: node.address, api_key: NODE_KEY },
      push_notifications: {
        webpush: {
          vapid_public_key: simulator.vapidKeys.publicKey,
          vapid_private_key: simulator.vapidKeys.privateKey,
          subject: 'mailto:test@example.com',
          extra_allowed_endpoint_origins: [simulator.origin],
          private_endpoint_networks: ['127.0.0.1/32'],
          ca_file: simulator.files.ca,
        },
      },
    })
    chat = await startChat({
      node: node.address,
      tokenSecret: NODE_JWT_SECRET,
      centripush: { url: server.url, key: TEST_KEY },
      delayMs: DELAY_MS,
      vapidKey: undefined,
      phone: makePhones(simulator),
    })
  })
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close()
  })
  afterAll(async () => {
    await browser.close()
    await chat.stop()
    await server.stop(0)
    await Promise.all([node.stop(), simulator.stop()])
    await database.drop()
    await rm(directory, { recursive: true, force: true })
  })

  /** Opens the page of a user in a browser of its own. */
  async function open(user: string): Promise<Page> {
    const context = await browser.newContext()
    contexts.push(context)
    const page = await context.newPage()
    await page.goto(`${chat.url}/?user=${user}`)
    await page.locator('body[data-state=ready]').waitFor()
    return page
  }

  /** Makes the page believe that its tab is in the background, or in front again. */
  async function setVisible(page: Page, isVisible: boolean): Promise<void> {
    const state = isVisible ? 'visible' : 'hidden'
    await page.evaluate(`
      Object.defineProperty(document, 'visibilityState', { configurable: true, value: '${state}' })
      document.dispatchEvent(new Event('visibilitychange'))`)
  }

  async function write(page: Page, text: string): Promise<void> {
    await page.getByLabel('Message', { exact: true }).fill(text)
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByLabel('Messages').getByText(text).waitFor()
  }

  /** The notifications of a user's phone with this text, when a push that nobody stopped would have come. */
  async function ringsFor(user: string, text: string): Promise<number> {
    const batches = () => database.sql`select from push_sends where state < 3 and request_hash is not null`
    await expect.poll(batches, { timeout: 20_000 }).toEqual([])
    await delay(200)
    const shown = await (await fetch(`${chat.url}/phone?user=${user}`)).json()
    return Array.isArray(shown) ? shown.filter((line) => line === `ann: ${text}`).length : -1
  }

  test('no phone rings for a message in a visible tab', async () => {
    const [ann, bob] = [await open('ann'), await open('bob')]
    await write(ann, 'one')
    await bob.getByLabel('Messages').getByText('ann: one').waitFor()
    expect(await ringsFor('bob', 'one')).toBe(0)
  })

  test('the phone rings once if the tab is hidden, and the page shows the message nevertheless', async () => {
    const [ann, bob] = [await open('ann'), await open('bob')]
    await setVisible(bob, false)
    await write(ann, 'two')
    await bob.getByLabel('Messages').getByText('ann: two').waitFor()
    expect(await ringsFor('bob', 'two')).toBe(1)
    // The page reads the notifications of the phone twice a second.
    await bob.getByLabel('Notifications').getByText('ann: two').waitFor()
    expect(await bob.getByLabel('Notifications').getByText('ann: two').count()).toBe(1)
  })

  test('a hidden tab that is shown before the delay has passed stops the push', async () => {
    const [ann, bob] = [await open('ann'), await open('bob')]
    await setVisible(bob, false)
    await write(ann, 'three')
    await bob.getByLabel('Messages').getByText('ann: three').waitFor()
    await setVisible(bob, true)
    expect(await ringsFor('bob', 'three')).toBe(0)
  })

  test('the phone rings once if the tab is closed', async () => {
    const [ann, bob] = [await open('ann'), await open('bob')]
    await bob.close()
    await write(ann, 'four')
    expect(await ringsFor('bob', 'four')).toBe(1)
  })

  test('on two devices the visible one stops the pushes to both', async () => {
    const [ann, hidden, visible] = [await open('ann'), await open('bob'), await open('bob')]
    await setVisible(hidden, false)
    const second = { provider: 'webpush', platform: 'web', user: 'bob', token: simulator.subscribe('bob-tablet') }
    await server.post('/device_register', second)
    await write(ann, 'five')
    await visible.getByLabel('Messages').getByText('ann: five').waitFor()
    expect(await ringsFor('bob', 'five')).toBe(0)
    expect(simulator.accepted.filter(({ target, body }) => target === 'bob-tablet' && body.includes('five'))).toEqual(
      [],
    )
  })
})

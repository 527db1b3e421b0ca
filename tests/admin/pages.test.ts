import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AdminRig, type Client, startAdminRig, VIEWER_PASSWORD } from './admin-rig.ts'

let rig: AdminRig
let client: Client

beforeAll(async () => {
  rig = await startAdminRig()
  client = await rig.loggedIn()
})

afterAll(() => rig.stop())

const PAGES = [
  ['', 'Overview'],
  ['/sends', 'Sends'],
  ['/explain', 'Why did it not arrive?'],
  ['/new-push', 'New push'],
  ['/devices', 'Devices'],
  ['/removed-devices', 'Removed devices'],
  ['/topics', 'Topics and users'],
  ['/queue', 'Queue'],
  ['/analytics', 'Analytics'],
  ['/configuration', 'Configuration'],
  ['/actions', 'Action log'],
] as const

test.each(PAGES)('%s shows the page %s', async (path, title) => {
  const answer = await client.get(path)
  expect(answer.status).toBe(200)
  expect(await answer.text()).toContain(`<h1>${title}</h1>`)
})

test.each(PAGES.filter(([path]) => path !== '/new-push'))('a viewer sees %s without a change on it', async (path) => {
  const viewer = await rig.loggedIn(VIEWER_PASSWORD)
  const html = await (await viewer.get(path)).text()
  const forms = [...html.matchAll(/<form method="post" action="([^"]*)"/g)].map(([, action]) => action)
  expect(forms).toEqual(['/admin/theme', '/admin/logout'])
})

test('the overview and the queue show the waiting work of each lane', async () => {
  const other = await startAdminRig()
  const reader = await other.loggedIn()
  await reader.post('/queue/pause', { provider: 'fcm', reason: 'test' })
  const many = Array.from({ length: 101 }, (_, index) => `token-${index}`)
  for (const fcm_tokens of [['a'], ['b'], many]) {
    const recipient = { fcm_tokens }
    await other.server.post('/send_push_notification', { recipient, notification: { fcm: { message: {} } } })
  }
  const rowsOf = async (path: string) => {
    const html = await (await reader.get(path)).text()
    return ['small sends', 'broadcasts'].map((lane) => {
      const row = html.split('<tr>').find((text) => text.includes(`>${lane}<`)) ?? ''
      return [...row.matchAll(/<td[^>]*>([^<]*)/g)].map(([, cell]) => cell).slice(0, 3)
    })
  }
  for (const path of ['', '/queue']) {
    await expect
      .poll(() => rowsOf(path))
      .toEqual([
        ['small sends', '2', '0'],
        ['broadcasts', '1', '0'],
      ])
  }
  await other.stop()
})

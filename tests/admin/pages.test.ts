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

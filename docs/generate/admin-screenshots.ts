// Makes the screenshots of docs/admin.md: npm run docs:screenshots. Needs Debian's Chromium. Texts have the system's font,
// which fontconfig chooses.
import { mkdir, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { withDatabase } from '../../bench/harness/with-database.ts'
import { assemble } from '../../src/assemble.ts'
import { parseConfig } from '../../src/config/load.ts'
import { makeLogger } from '../../src/observability/log.ts'
import { fillServer } from './admin-screenshots/fill-server.ts'
import { listShots, takeAll } from './admin-screenshots/take-shots.ts'

const CHROMIUM = '/usr/bin/chromium'
const DIRECTORY = fileURLToPath(new URL('../images/admin/', import.meta.url))
const PASSWORD = 'password-of-the-screenshots'

const logger = makeLogger({ level: 'error', file: '' })

await rm(DIRECTORY, { recursive: true, force: true })
await mkdir(DIRECTORY, { recursive: true })
await withDatabase(logger, async ({ sql, dsn }) => {
  const config = parseConfig({
    http_server: { address: '127.0.0.1', port: 0 },
    http_api: { insecure: true },
    admin: { enabled: true, password: PASSWORD, secret: 'secret-of-the-screenshots' },
    database: { postgresql: { dsn } },
    postgresql_analytics: { rows: 'all' },
    worker: { processes: 1 },
    log: { level: 'error' },
  })
  const server = await assemble({ config, role: 'all', logger })
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  try {
    const [url = ''] = server.urls
    const base = `${url}/admin`
    const context = await browser.newContext({ timezoneId: 'UTC', locale: 'en-GB', reducedMotion: 'reduce' })
    const login = await context.request.post(`${base}/login`, {
      form: { password: PASSWORD },
      headers: { 'sec-fetch-site': 'same-origin' },
      maxRedirects: 0,
    })
    if (login.status() !== 303) throw new Error(`not logged in: ${login.status()}`)
    const device = await fillServer(url, sql, (path, form) =>
      context.request.post(base + path, { form, headers: { 'sec-fetch-site': 'same-origin' }, maxRedirects: 0 }),
    )
    await takeAll(context, { base, directory: DIRECTORY, shots: listShots(device) })
  } finally {
    await browser.close()
    await server.stop(0)
  }
})

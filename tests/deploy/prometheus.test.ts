// The files of deploy/prometheus, and the expressions of the dashboard, on a real Prometheus that scrapes a server.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import { listMetrics } from '../../docs/generate/list-metrics.ts'
import { runCommand } from '../cli/command.ts'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { findFreePort } from '../support/centripush-process.ts'
import { createTestDatabase } from '../support/database.ts'
import { startFcmSimulator } from '../support/fcm-simulator.ts'
import { describeWithPrometheus, startPrometheus, type TestPrometheus } from '../support/prometheus.ts'
import { listQueries } from './dashboard-files.ts'
import { findPromqlNames } from './promql-names.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const DEPLOY = resolve(ROOT, 'deploy/prometheus')
const RULES = resolve(DEPLOY, 'centripush.rules.yml')
const CASES = readFileSync(resolve(import.meta.dirname, 'alerts.yml'), 'utf8')

const Alerts = v.object({
  groups: v.array(
    v.object({
      rules: v.array(
        v.object({
          alert: v.string(),
          expr: v.string(),
          labels: v.object({ severity: v.picklist(['page', 'ticket']) }),
          annotations: v.object({ summary: v.string(), runbook: v.string() }),
        }),
      ),
    }),
  ),
})
const ALERTS = v.parse(Alerts, parse(readFileSync(RULES, 'utf8'))).groups.flatMap(({ rules }) => rules)

/** The expressions of the dashboard, with the variables and macros as Grafana fills them. */
const PANELS = listQueries('centripush.json').map(({ title, text }) => {
  return { title, expr: text.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.+') }
})

test('each alert has a section in docs/operations.md', () => {
  const text = readFileSync(resolve(ROOT, 'docs/operations.md'), 'utf8')
  const headings = [...text.matchAll(/^### (Centripush\w+)$/gm)].map(([, heading]) => heading)
  expect(ALERTS.map(({ alert }) => alert).sort()).toEqual(headings.sort())
  for (const { alert, annotations } of ALERTS) {
    expect(annotations.runbook).toBe(`docs/operations.md#${alert.toLowerCase()}`)
  }
})

test('all metrics and labels of the dashboard and the alerts exist', () => {
  const declared = new Map<string, string[]>()
  for (const { name, type, labelNames } of listMetrics()) {
    declared.set(name, labelNames)
    if (type !== 'histogram') continue
    for (const suffix of ['_bucket', '_sum', '_count']) declared.set(name + suffix, [...labelNames, 'le'])
  }
  for (const { title, expr } of [...PANELS, ...ALERTS.map(({ alert, expr }) => ({ title: alert, expr }))]) {
    const { metrics, labels } = findPromqlNames(expr)
    const own = [...metrics].filter((name) => name !== 'up' && !/^(process|nodejs)_/.test(name))
    for (const name of own) expect([...declared.keys()], title).toContain(name)
    const known = new Set(own.flatMap((name) => declared.get(name) ?? []))
    // Prometheus adds these.
    for (const label of ['instance', 'job']) known.add(label)
    for (const label of labels) expect([...known], `${title}: ${expr}`).toContain(label)
  }
})

describeWithPrometheus('Prometheus', () => {
  test('accepts the configuration and the alerts', () => {
    execFileSync('promtool', ['check', 'config', resolve(DEPLOY, 'prometheus.yml')])
  })

  test('raises each alert for its condition, and not for a harmless one', () => {
    for (const { alert } of ALERTS) expect(CASES).toContain(`alertname: ${alert}\n`)
    const directory = mkdtempSync(join(tmpdir(), 'centripush-alerts-'))
    const file = join(directory, 'alerts.yml')
    writeFileSync(file, CASES.replace('[RULES]', `[${RULES}]`))
    try {
      execFileSync('promtool', ['test', 'rules', file], { stdio: 'pipe', encoding: 'utf8' })
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })

  describe('that scrapes a server', () => {
    let prometheus: TestPrometheus
    const stops: (() => Promise<unknown>)[] = []

    beforeAll(async () => {
      const [database, fcm] = await Promise.all([createTestDatabase(), startFcmSimulator()])
      stops.push(() => fcm.stop().then(() => database.drop()))
      const closed = `https://127.0.0.1:${await findFreePort()}`
      const { origin, files } = fcm.simulator
      const server = await startAssembly(database.dsn, {
        rpc_proxy: { key: 'key-of-the-proxy' },
        push_notifications: {
          fcm: { credentials_file: files.credentials, ca_file: files.ca, push_endpoint: origin, auth_endpoint: origin },
          hms: {
            app_id: '1',
            app_secret: 'secret-of-the-app',
            push_endpoint: closed,
            auth_endpoint: `${closed}/token`,
          },
        },
        worker: { retry_scale: 0.001 },
      })
      stops.unshift(() => server.stop(5000))
      expect(await runCommand(database.dsn, ['queue', 'pause', 'webpush'])).toMatchObject({ code: 0 })
      prometheus = await startPrometheus(`
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ['${RULES}']
scrape_configs: [{ job_name: centripush, static_configs: [{ targets: ['${new URL(server.url).host}'] }] }]`)
      stops.unshift(() => prometheus.stop())
      await sendPushes(server)
    })
    afterAll(async () => {
      for (const stop of stops) await stop()
    })

    test('finds a series for each panel of the dashboard', { timeout: 90_000 }, async () => {
      const waiting = new Map(PANELS.map(({ title, expr }) => [expr, title]))
      await vi.waitFor(
        async () => {
          for (const expr of waiting.keys()) if ((await prometheus.query(expr)).length > 0) waiting.delete(expr)
          expect([...waiting]).toEqual([])
        },
        { timeout: 80_000, interval: 500 },
      )
    })

    test('evaluates the alerts without an error, and those of this server fire', async () => {
      const rules = await prometheus.readRules()
      expect(rules).toEqual(Object.fromEntries(ALERTS.map(({ alert }) => [alert, 'ok'])))
      const readAlerts = async () => (await prometheus.query('ALERTS')).map(({ labels }) => labels.alertname).sort()
      const expected = ['CentripushProviderDown', 'CentripushProviderPaused', 'CentripushRemovalStopped']
      // The rules are evaluated once a second.
      await vi.waitFor(async () => expect(await readAlerts()).toEqual(expected), { timeout: 20_000, interval: 200 })
    })

    test('reads the metrics that the server declares', async () => {
      const names = await prometheus.query('group by (__name__) ({job="centripush"})')
      const found = new Set(names.map(({ labels }) => labels.__name__))
      const missing = listMetrics().filter(({ name }) => !found.has(name) && !found.has(`${name}_count`))
      expect(missing.map(({ name }) => name)).toEqual([])
    })
  })
})

/** Sends pushes with every outcome. */
async function sendPushes(server: TestAssembly): Promise<void> {
  const post = async (method: string, body: object) => {
    const response = await server.post(`/${method}`, body)
    expect(await response.json()).not.toHaveProperty('error')
  }
  const notification = { fcm: { message: {} } }
  const user = '42'
  for (const token of ['phone-of-42', 'unregistered-phone-of-42']) {
    await post('device_register', { provider: 'fcm', token, platform: 'android', user })
  }
  await post('device_register', { provider: 'apns', token: 'ab'.repeat(32), platform: 'ios', user })
  // One is sent, one has a dead token and is removed, and one has no notification.
  await post('send_push_notification', { recipient: { filter: { users: [user] } }, notification })
  await post('send_push_notification', { recipient: { fcm_topic: 'news' }, notification })
  // So many dead tokens stop the removal of devices.
  const dead = Array.from({ length: 250 }, (_, index) => `unregistered-${index}`)
  await post('send_push_notification', { recipient: { fcm_tokens: dead }, notification })
  // The device may get one push a minute, so the second one is dropped.
  const rate_limit = { policies: [{ rate: 1, interval_ms: 60_000 }], drop_if_rate_limited: true }
  for (const recipient of Array(2).fill({ filter: { users: [user], providers: ['fcm'] } })) {
    await post('send_push_notification', { recipient, notification, limit_strategy: { rate_limit } })
  }
  await post('send_push_notification', { recipient: { hms_tokens: ['a'] }, notification: { hms: { message: {} } } })
  const send_at = Math.floor(Date.now() / 1000) + 3600
  await post('send_push_notification', { send_at, recipient: { fcm_tokens: ['later'] }, notification })
  const body = JSON.stringify({ user, method: 'push:ack', data: { uids: ['m1'] } })
  await fetch(`${server.url}/proxy/rpc`, {
    method: 'POST',
    headers: { 'x-centripush-proxy-key': 'key-of-the-proxy' },
    body,
  })
}

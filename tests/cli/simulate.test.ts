// `centripush simulate` as a user sees it: its output becomes a configuration, and tokens choose faults.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { Agent, fetch as fetchWith } from 'undici'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { parse } from 'yaml'
import { makeApnsFaults } from '../../src/simulators/apns/apns-faults.ts'
import { makeDeviceToken, readDeviceName } from '../../src/simulators/apns/device-name.ts'
import { makeFcmFaults } from '../../src/simulators/fcm/fcm-faults.ts'
import { makeHmsFaults } from '../../src/simulators/hms/hms-faults.ts'
import { makeWebPushFaults } from '../../src/simulators/webpush/webpush-faults.ts'
import { startAssembly } from '../support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { makeDirectory, runCommand, startCommand } from './command.ts'

interface TriedProvider {
  name: string
  words: string[]
  /** The word of a fault that is the same in each attempt. */
  refusal: string
  notification: object
}

const PROVIDERS: TriedProvider[] = [
  {
    name: 'fcm',
    words: Object.keys(makeFcmFaults({ project: '', retryAfterSeconds: 0 })),
    refusal: 'unregistered',
    notification: { fcm: { message: { notification: { title: 'a' } } } },
  },
  {
    name: 'apns',
    words: Object.keys(makeApnsFaults()),
    refusal: 'badtopic',
    notification: { apns: { payload: { aps: { alert: 'a' } } } },
  },
  {
    name: 'hms',
    words: Object.keys(makeHmsFaults(0)),
    refusal: 'toolarge',
    notification: { hms: { message: { data: 'a' } } },
  },
  {
    name: 'webpush',
    words: Object.keys(makeWebPushFaults(0)),
    refusal: 'gone',
    notification: { webpush: { payload: { title: 'a' } } },
  },
]

const Printed = v.object({ push_notifications: v.record(v.string(), v.unknown()) })
const OwnFiles = v.object({ ca_file: v.string() })
const Push = v.object({ target: v.string() })

const LONG = { timeout: 60_000, interval: 50 }

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

/** Runs a simulator until the end of the test. @returns its output */
async function simulate(...args: string[]): Promise<string> {
  const child = startCommand(database.dsn, ['simulate', ...args, '--dir', makeDirectory()])
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  onTestFinished(async () => {
    child.kill('SIGTERM')
    const [code] = await once(child, 'close')
    expect(code).toBe(0)
  })
  await vi.waitFor(() => expect(printed).toMatch(/ca_file: .*\n/), { timeout: 30_000 })
  return printed
}

/** The YAML in the output, up to an empty line. */
function readConfiguration(printed: string): Record<string, unknown> {
  const [yaml = ''] = /^push_notifications:\n(?:.+\n)+/m.exec(printed) ?? []
  return v.parse(Printed, parse(yaml)).push_notifications
}

async function readAccepted(printed: string): Promise<string[]> {
  const [, file = ''] = /^Accepted pushes: (.+)$/m.exec(printed) ?? []
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '')
  return lines.map((line) => readDeviceName(v.parse(Push, JSON.parse(line)).target))
}

/** The token of a simulated device, which is not a browser. */
function toToken(simulator: string, name: string): string {
  return simulator === 'apns' ? makeDeviceToken(name) : name
}

async function readMetrics(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`)).text()
}

/** Runs the printed command for subscriptions, with undici in place of curl. */
async function subscribe(printed: string, name: string): Promise<string> {
  const [, url = ''] = /'(https:.*\/subscribe\?name=)browser-1'/.exec(printed) ?? []
  const { ca_file } = v.parse(OwnFiles, readConfiguration(printed).webpush)
  const dispatcher = new Agent({ connect: { ca: await readFile(ca_file, 'utf8') } })
  const subscription = await (await fetchWith(`${url}${name}`, { dispatcher })).text()
  await dispatcher.close()
  return subscription
}

describe.each(PROVIDERS)('centripush simulate $name', ({ name, words, refusal, notification }) => {
  test('lists each of its faults in its help', async () => {
    const { code, stdout } = await runCommand(database.dsn, ['simulate', name, '--help'])
    expect(code).toBe(0)
    const listed = [...stdout.matchAll(/^ {2}(\w+)- +\S/gm)].map(([, word]) => word)
    expect(listed.sort()).toEqual(words.toSorted())
  })

  test('accepts pushes over TLS with the printed configuration, and has the faults of the tokens', async () => {
    const printed = await simulate(name)
    const push_notifications = readConfiguration(printed)
    const server = await startAssembly(database.dsn, { push_notifications, worker: { retry_scale: 0.01 } })
    onTestFinished(() => server.stop(5000))
    const send = async (target: string) => {
      const token = name === 'webpush' ? await subscribe(printed, target) : toToken(name, target)
      const recipient = { [`${name}_tokens`]: [token] }
      const answer = await server.post('/send_push_notification', { recipient, notification })
      expect(await answer.json()).toMatchObject({ result: {} })
    }
    // A push that is accepted and then cut off is sent again. Pushes are sent one by one, because a cut may also lose
    // the answer to another push.
    const accepted: string[] = []
    for (const [target, times] of Object.entries({ 'mine-1': 1, 'cut-once-1': 2, 'refuse-once-1': 1 })) {
      await send(target)
      for (let time = 0; time < times; time++) accepted.push(target)
      await vi.waitFor(async () => expect(await readAccepted(printed)).toEqual(accepted), LONG)
    }
    await send(`${refusal}-1`)
    const failed = new RegExp(`^centrifugo_push_notification_count\\{provider="${name}",.*success="false".*\\} 1$`, 'm')
    await vi.waitFor(async () => expect(await readMetrics(server.url)).toMatch(failed), LONG)
    expect(await readAccepted(printed)).toEqual(accepted)
  })
})

test('with --misbehave pushes without a word of a fault get faults too', async () => {
  const printed = await simulate('fcm', '--misbehave', '100')
  const push_notifications = readConfiguration(printed)
  const server = await startAssembly(database.dsn, { push_notifications, worker: { retry_scale: 0.01 } })
  onTestFinished(() => server.stop(100))
  // A send for each push: the outcomes of a batch are counted together, after the slowest fault.
  for (let index = 0; index < 20; index++) {
    const recipient = { fcm_tokens: [`mine-${index}`] }
    await server.post('/send_push_notification', { recipient, notification: { fcm: { message: {} } } })
  }
  const failed = /success="false",err_code="[A-Z_]+"\} \d/
  await vi.waitFor(async () => expect(await readMetrics(server.url)).toMatch(failed), LONG)
})

test('without a name the help lists all simulators', async () => {
  const { code, stdout } = await runCommand(database.dsn, ['simulate', '--help'])
  expect(code).toBe(0)
  for (const { name } of PROVIDERS) expect(stdout).toContain(`\n  ${name} `)
})

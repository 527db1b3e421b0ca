import { beforeAll, describe, expect, it } from 'vitest'
import { preparePythonSdk } from './python-sdk.ts'
import { type SdkServer, startSdkServer } from './sdk-server.ts'
import { toolsOf } from './toolchain.ts'

/** Contains values that a JSON parser and encoder would change: big integers, `1.0`, escapes, a duplicate key. */
const DATA = String.raw`{"id":"1","id":"2","escaped":"\u00e9\ud83d\ude00\/\u003c"}`
const MESSAGE = `{"data":${DATA},"apns":{"payload":{"big":12345678901234567890,"float":1.0,"exponent":1E+3,"zero":-0}}}`

const python = await preparePythonSdk()

let server: SdkServer

describe.skipIf(python.missing)('a thousand devices registered through cent', () => {
  beforeAll(async () => {
    server = await startSdkServer()
    return () => server.stop()
  })

  const run = async (...args: string[]): Promise<unknown> =>
    JSON.parse(await toolsOf(python).run('thousand_devices.py', server, ...args))
  /** Tokens that a script printed. */
  const runForTokens = async (...args: string[]) => {
    const printed = await run(...args)
    return Array.isArray(printed) ? printed.map(String) : []
  }

  it('receive a push to their topic with unchanged bytes, and devices with dead tokens are removed', async () => {
    const inTopic = await runForTokens('register')
    const alive = inTopic.filter((token) => !isDead(token)).sort()
    expect([inTopic.length, alive.length]).toEqual([605, 600])

    await sendOverHttp(`{"recipient":{"filter":{"topics":["news"]}},"notification":{"fcm":{"message":${MESSAGE}}}}`)
    await server.fcm.waitForAccepted(600)
    // Devices with dead tokens are removed after all answers have arrived, when the queue is empty.
    await expect.poll(async () => (await runForTokens('list')).filter(isDead), { timeout: 20_000 }).toEqual([])
    expect(await runForTokens('list')).toHaveLength(995)
    expect(targetsSince(0)).toEqual(alive)
    expect(distinctBodiesSince(0)).toEqual([`{"message":{"token":"TOKEN",${MESSAGE.slice(1)}}`])

    await run('send', '{"notification":{"title":"Again"}}')
    await server.fcm.waitForAccepted(1200)
    expect(targetsSince(600)).toEqual(alive)
    const again = distinctBodiesSince(600).map((body): unknown => JSON.parse(body))
    expect(again).toEqual([{ message: { token: 'TOKEN', notification: { title: 'Again' } } }])

    // Pushes in flight finish before the process ends, so no push can follow.
    expect(await server.process.stop()).toBe(0)
    expect(server.fcm.accepted).toHaveLength(1200)
  })
})

function isDead(token: string): boolean {
  return token.startsWith('unregistered-')
}

/** Sent without the SDK, because the Python SDK encodes values and can't produce these bytes. */
async function sendOverHttp(body: string): Promise<void> {
  const headers = { 'content-type': 'application/json', 'x-api-key': server.key }
  const response = await fetch(`${server.api}/send_push_notification`, { method: 'POST', headers, body })
  expect(await response.text()).toMatch(/^{"result":{"uid":"[0-9a-f-]{36}"}}$/)
}

/** The targets of all accepted pushes except the first `count`, sorted. */
function targetsSince(count: number): string[] {
  const pushes = server.fcm.accepted.slice(count)
  return pushes.map(({ target }) => target).sort()
}

/** Their distinct bodies without the token. */
function distinctBodiesSince(count: number): string[] {
  const pushes = server.fcm.accepted.slice(count)
  return [...new Set(pushes.map(({ body, target }) => body.replace(`"${target}"`, '"TOKEN"')))]
}

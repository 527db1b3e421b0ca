import { beforeAll, describe, expect, it } from 'vitest'
import { preparePythonSdk } from './python-sdk.ts'
import { type SdkServer, startSdkServer } from './sdk-server.ts'
import { toolsOf } from './toolchain.ts'

/** What a parser that writes again what it read would change: big integers, `1.0`, escapes, a key that comes twice. */
const MESSAGE = String.raw`{"data":{"id":"1","id":"2","escaped":"\u00e9\ud83d\ude00\/\u003c"},"apns":{"payload":{"big":12345678901234567890,"float":1.0,"exponent":1E+3,"zero":-0}}}`

const python = await preparePythonSdk()

let server: SdkServer

describe.skipIf(python.missing)('a thousand devices registered through cent', () => {
  beforeAll(async () => {
    server = await startSdkServer()
    return () => server.stop()
  })

  const run = async (...args: string[]): Promise<unknown> =>
    JSON.parse(await toolsOf(python).run('thousand_devices.py', server, ...args))
  /** Tokens, as the scripts print them. */
  const runForTokens = async (...args: string[]) => {
    const printed = await run(...args)
    return Array.isArray(printed) ? printed.map(String) : []
  }

  it('get a push to their topic with its bytes as sent, and those whose token is dead are gone', async () => {
    const inTopic = await runForTokens('register')
    const alive = inTopic.filter((token) => !isDead(token)).sort()
    expect([inTopic.length, alive.length]).toEqual([605, 600])

    await sendOverHttp(`{"recipient":{"filter":{"topics":["news"]}},"notification":{"fcm":{"message":${MESSAGE}}}}`)
    await server.fcm.waitForAccepted(600)
    // The dead ones go when their answers are in, which is when there is nothing left to send.
    await expect.poll(async () => (await runForTokens('list')).filter(isDead), { timeout: 20_000 }).toEqual([])
    expect(await runForTokens('list')).toHaveLength(995)
    expect(targetsSince(0)).toEqual(alive)
    expect(distinctBodiesSince(0)).toEqual([`{"message":{"token":"TOKEN",${MESSAGE.slice(1)}}`])

    await run('send', '{"notification":{"title":"Again"}}')
    await server.fcm.waitForAccepted(1200)
    expect(targetsSince(600)).toEqual(alive)
    const again = distinctBodiesSince(600).map((body): unknown => JSON.parse(body))
    expect(again).toEqual([{ message: { token: 'TOKEN', notification: { title: 'Again' } } }])

    // What is in flight finishes before the process ends: nothing more comes after that.
    expect(await server.process.stop()).toBe(0)
    expect(server.fcm.accepted).toHaveLength(1200)
  })
})

function isDead(token: string): boolean {
  return token.startsWith('unregistered-')
}

/** The Python SDK writes JSON from values, so these bytes can't come from it. */
async function sendOverHttp(body: string): Promise<void> {
  const headers = { 'content-type': 'application/json', 'x-api-key': server.key }
  const response = await fetch(`${server.api}/send_push_notification`, { method: 'POST', headers, body })
  expect(await response.text()).toMatch(/^{"result":{"uid":"[0-9a-f-]{36}"}}$/)
}

/** The targets of all pushes but the first `count` that were accepted, sorted. */
function targetsSince(count: number): string[] {
  const pushes = server.fcm.accepted.slice(count)
  return pushes.map(({ target }) => target).sort()
}

/** Their bodies but for the token, each once. */
function distinctBodiesSince(count: number): string[] {
  const pushes = server.fcm.accepted.slice(count)
  return [...new Set(pushes.map(({ body, target }) => body.replace(`"${target}"`, '"TOKEN"')))]
}

import { beforeAll, describe, expect, it } from 'vitest'
import { preparePythonSdk } from './python-sdk.ts'
import { type SdkServer, startSdkServer } from './sdk-server.ts'
import { toolsOf } from './toolchain.ts'

const python = await preparePythonSdk()

let server: SdkServer

describe.skipIf(python.missing)('a publication and a push three seconds later, in one batch through cent', () => {
  beforeAll(async () => {
    server = await startSdkServer()
    // The first push obtains the access token and connects, so that the tests below do not measure that.
    const body = '{"recipient":{"fcm_tokens":["warm-up"]},"notification":{"fcm":{"message":{}}}}'
    const headers = { 'content-type': 'application/json', 'x-api-key': server.key }
    await fetch(`${server.api}/send_push_notification`, { method: 'POST', headers, body })
    await server.fcm.waitForAccepted(1)
    return () => server.stop()
  })

  /** Resolves to the `send_at` of the push in ms. */
  const run = async (...tokens: string[]) =>
    Number(await toolsOf(python).run('push_unless_acknowledged.py', server, ...tokens)) * 1000

  it('arrives at FCM within a second of its time unless it is cancelled', async () => {
    const before = server.fcm.accepted.length
    const sendAtMs = await run('left-alone')
    await server.fcm.waitForAccepted(before + 1)
    const [push] = server.fcm.accepted.slice(before)
    expect(push?.target).toBe('left-alone')
    expect(push?.at_ms).toBeGreaterThanOrEqual(sendAtMs)
    expect(push?.at_ms).toBeLessThanOrEqual(sendAtMs + 1000)
  })

  it('never arrives at FCM when it is cancelled in time', async () => {
    const before = server.fcm.accepted.length
    await run('acknowledged', 'scheduled-after-it')
    await server.fcm.waitForAccepted(before + 1)
    // A worker ends after it has sent the batches that it had claimed.
    await server.process.stop()
    expect(server.fcm.accepted.slice(before).map(({ target }) => target)).toEqual(['scheduled-after-it'])
  })
})

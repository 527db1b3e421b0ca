import { beforeAll, describe, expect, it } from 'vitest'
import { preparePythonSdk } from './python-sdk.ts'
import { type SdkServer, startSdkServer } from './sdk-server.ts'
import { toolsOf } from './toolchain.ts'

const python = await preparePythonSdk()

let server: SdkServer

describe.skipIf(python.missing)('a push for in three seconds and a publication, in one batch through cent', () => {
  beforeAll(async () => {
    server = await startSdkServer()
    // The first push gets the access token and connects, which is not what is measured below.
    const body = '{"recipient":{"fcm_tokens":["warm-up"]},"notification":{"fcm":{"message":{}}}}'
    const headers = { 'content-type': 'application/json', 'x-api-key': server.key }
    await fetch(`${server.api}/send_push_notification`, { method: 'POST', headers, body })
    await server.fcm.waitForAccepted(1)
    return () => server.stop()
  })

  /** Resolves to the push's `send_at` in ms. */
  const run = async (...tokens: string[]) =>
    Number(await toolsOf(python).run('push_unless_acknowledged.py', server, ...tokens)) * 1000

  it('reaches FCM within a second of its time when it is left alone', async () => {
    const before = server.fcm.accepted.length
    const sendAtMs = await run('left-alone')
    await server.fcm.waitForAccepted(before + 1)
    const [push] = server.fcm.accepted.slice(before)
    expect(push?.target).toBe('left-alone')
    expect(push?.at_ms).toBeGreaterThanOrEqual(sendAtMs)
    expect(push?.at_ms).toBeLessThanOrEqual(sendAtMs + 1000)
  })

  it('never reaches FCM when it was cancelled before', async () => {
    const before = server.fcm.accepted.length
    await run('acknowledged', 'scheduled-after-it')
    await server.fcm.waitForAccepted(before + 1)
    // A worker that ends has sent all it had begun with.
    await server.process.stop()
    expect(server.fcm.accepted.slice(before).map(({ target }) => target)).toEqual(['scheduled-after-it'])
  })
})

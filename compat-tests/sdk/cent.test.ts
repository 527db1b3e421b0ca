import { beforeAll, describe, expect, it } from 'vitest'
import { preparePythonSdk } from './python-sdk.ts'
import { type SdkServer, startSdkServer } from './sdk-server.ts'
import { toolsOf } from './toolchain.ts'

const python = await preparePythonSdk()

let server: SdkServer

// Each script checks its own expectations. A failed one is in the error.
describe.skipIf(python.missing)('cent, the Python SDK, with only its base URL changed', () => {
  beforeAll(async () => {
    server = await startSdkServer()
    return () => server.stop()
  })

  const run = (script: string) => toolsOf(python).run(script, server)

  it('registers, lists, updates and removes devices', async () => {
    await run('devices.py')
  })

  it('manages the topics of devices and of users', async () => {
    await run('topics.py')
  })

  it('sends to every kind of recipient, once per uid, except refused and cancelled sends', async () => {
    await run('sends.py')
    const once = ['by-filter', 'by-token-1', 'by-token-2', 'by-topic', "'by-condition' in topics", 'with-options']
    const expected = [...once, 'once', 'first', 'without-uid', 'without-uid'].sort()
    await server.fcm.waitForAccepted(expected.length)
    expect(server.fcm.accepted.map(({ target }) => target).sort()).toEqual(expected)
  })

  it('runs batches of upstream and push methods, with one upstream request per group of commands', async () => {
    const before = server.node.requests.length
    await run('batches.py')
    const asked = server.node.requests.slice(before)
    const inBatches = asked.filter(({ path }) => path === '/api/batch').map(({ methods }) => methods.join(' '))
    const mixed = ['publish publish', 'history']
    expect(inBatches.sort()).toEqual([...mixed, ...mixed, 'publish history'].sort())
    expect(new Set(asked.map(({ key }) => key))).toEqual(new Set([server.node.key]))
  })

  it('works with its asynchronous client', async () => {
    await run('asynchronous.py')
  })
})

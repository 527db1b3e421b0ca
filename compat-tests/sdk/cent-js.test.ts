import { CentClient, CentException, CentMethods } from 'cent.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { RECORDED_RESULTS } from './recorded-node.ts'
import { type SdkServer, startSdkServer } from './sdk-server.ts'

let server: SdkServer
let client: CentClient

// cent.js has the node's methods only. Its numbers are JavaScript's, so its results are compared with JSON.parse of the
// recorded bytes.
describe('cent.js, with only its base URL changed', () => {
  beforeAll(async () => {
    server = await startSdkServer()
    client = new CentClient({ url: server.api, apiKey: server.key })
    return () => server.stop()
  })

  it('gets the node’s answer from each method', async () => {
    expect(await client.publish({ channel: 'hist:a', data: { x: 1 } })).toEqual(recorded('publish'))
    const channels = ['hist:a', 'nope:b', 'plain:c']
    expect(await client.broadcast({ channels, data: { x: 1 } })).toEqual(recorded('broadcast'))
    expect(await client.getHistory({ channel: 'hist:a', limit: 1 })).toEqual(recorded('history'))
    expect(await client.removeHistory({ channel: 'hist:a' })).toEqual(recorded('history_remove'))
    expect(await client.getPresenceStats({ channel: 'hist:a' })).toEqual(recorded('presence_stats'))
    expect(await client.getChannels()).toEqual(recorded('channels'))
    expect(await client.getInfo()).toEqual(recorded('info'))
    expect(new Set(server.node.requests.map(({ key }) => key))).toEqual(new Set([server.node.key]))
  })

  it("rejects with the node's error", async () => {
    await expect(client.publish({ channel: 'nope:a', data: {} })).rejects.toThrow(CentException)
  })

  it('runs a pipeline of commands and gets their results in order', async () => {
    const results = await client.pipeline<CentMethods>([
      { method: CentMethods.Publish, params: { channel: 'hist:a', data: { x: 1 } } },
      { method: CentMethods.Publish, params: { channel: 'nope:a', data: { x: 1 } } },
      { method: CentMethods.History, params: { channel: 'hist:a', limit: 1 } },
      { method: CentMethods.Info, params: {} },
    ])
    expect(results).toEqual([recorded('publish'), undefined, recorded('history'), recorded('info')])
  })

  it('is refused with another key', async () => {
    const stranger = new CentClient({ url: server.api, apiKey: 'another-key' })
    const before = server.node.requests.length
    // As from a node, a 401 has no body. This SDK parses every answer as JSON.
    await expect(stranger.publish({ channel: 'hist:a', data: {} })).rejects.toThrow(SyntaxError)
    expect(server.node.requests).toHaveLength(before)
  })
})

function recorded(method: string): unknown {
  return JSON.parse(RECORDED_RESULTS[method] ?? '')
}

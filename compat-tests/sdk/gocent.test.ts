import { beforeAll, describe, expect, it } from 'vitest'
import { prepareGoSdk } from './go-sdk.ts'
import { RECORDED_RESULTS } from './recorded-node.ts'
import { type SdkServer, startSdkServer } from './sdk-server.ts'
import { toolsOf } from './toolchain.ts'

const go = await prepareGoSdk()

let server: SdkServer

const UNKNOWN_CHANNEL = { code: 102, message: 'unknown channel' }

// gocent uses the legacy API only: commands separated by newlines, which the node answers.
describe.skipIf(go.missing)('gocent, the Go SDK, with only its base URL changed', () => {
  beforeAll(async () => {
    server = await startSdkServer()
    return () => server.stop()
  })

  it('gets the node’s answers to single commands and to a pipe, and errors as its own types', async () => {
    const printed = await toolsOf(go).run(server)
    expect(printed).toContain('{"n":12345678901234567890123}')
    expect(JSON.parse(printed)).toMatchObject({
      publish: recorded('publish'),
      broadcast: recorded('broadcast'),
      history: recorded('history'),
      presence_stats: recorded('presence_stats'),
      info: recorded('info'),
      pipe: [
        { result: recorded('publish') },
        { error: UNKNOWN_CHANNEL },
        { result: recorded('history') },
        { result: recorded('broadcast') },
      ],
      error: UNKNOWN_CHANNEL,
      status_with_another_key: 401,
    })
    expect(new Set(server.node.requests.map(({ key }) => key))).toEqual(new Set([server.node.key]))
  })
})

function recorded(method: string): unknown {
  return JSON.parse(RECORDED_RESULTS[method] ?? '')
}

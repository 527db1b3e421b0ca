// The configurations in the documentation of Centrifugo PRO (https://centrifugal.dev/docs/pro, 2026-08-21) as they
// stand. They must load, so that a file of PRO can be used without changes.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { ConfigError } from '../../src/config/config-error.ts'
import { parseConfig } from '../../src/config/load.ts'
import { checkNames } from '../../src/config/names/check-names.ts'

const Examples = v.array(v.object({ page: v.string(), config: v.record(v.string(), v.unknown()) }))
const examples = v.parse(Examples, JSON.parse(readFileSync(join(import.meta.dirname, 'pro-examples.json'), 'utf8')))

/** Problems with values, without those that an example has on purpose. */
function problemsOf(config: object): string[] {
  try {
    parseConfig(config)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    // Examples have placeholders such as `<your_key_id>`, and one is only a part of the credentials of APNs. PRO's web
    // UI ends a login in the browser, ours at an address of the server.
    const onPurpose = /apns\.token_(key|team)_id: expected|is needed beside|admin\.oidc\.redirect_uri: its path/
    return error.problems.filter((problem) => !onPurpose.test(problem))
  }
}

test.each(examples.map(({ page, config }) => [page, JSON.stringify(config), config] as const))(
  '%s: %s',
  (_page, _text, config) => {
    expect(checkNames(config).problems).toEqual([])
    expect(problemsOf(config)).toEqual([])
  },
)

test('features of PRO that centripush does not have are told, each with who does it', () => {
  const config = {
    consumers: [{ name: 'kafka' }],
    grpc_api: { enabled: true, port: 10000 },
    http_api: { key: 'a', jwks: { enabled: true } },
    uni_grpc: { enabled: false },
    user_status: { enabled: true },
    opentelemetry: {},
    channel: { namespaces: [] },
    http_server: { http3: { enabled: true } },
  }
  const { problems, features, ignored } = checkNames(config)
  expect(problems).toEqual([])
  expect(features).toEqual([
    'consumers: only the node consumes queues, and it does not know push methods: send pushes through the API',
    'grpc_api: only the node serves gRPC, without push methods: send pushes through the HTTP API',
    'http_api.jwks: centripush checks API keys only: a gateway in front of it can check tokens',
    'user_status: a feature of Centrifugo PRO that neither centripush nor an open-source node has',
    'http_server.http3: centripush serves HTTP/1.1: a load balancer in front of it can offer HTTP/3',
  ])
  expect(ignored).toEqual(['uni_grpc', 'opentelemetry', 'channel'])
})

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { expect, onTestFinished, test, vi } from 'vitest'
import { makeUpstream } from '../../src/assemble/make-upstream.ts'
import { parseConfig } from '../../src/config/load.ts'
import { NodeWatch } from '../../src/upstream/node-watch.ts'
import { keepLines, makeTestLogger } from '../support/run-log.ts'

const INFO = '{"result":{"nodes":[{"uid":"a","name":"b","version":"6.3.0"}]}}'

/** A server in the place of the node, and the watch on it. */
async function watch(answer: { status: number; body: string }, intervalMs = 20) {
  const node: Server = createServer((_, outgoing) => outgoing.writeHead(answer.status).end(answer.body))
  await new Promise<void>((resolve) => node.listen(0, '127.0.0.1', resolve))
  const { port } = node.address() as AddressInfo
  const lines: Record<string, unknown>[] = []
  const logger = pino(
    { base: null },
    keepLines((line) => lines.push(JSON.parse(line))),
  )
  const config = parseConfig({ upstream: { address: `http://127.0.0.1:${port}` } })
  if (!config.upstream) throw new Error('the configuration has an upstream')
  const upstream = makeUpstream(config, config.upstream, makeTestLogger())
  const nodeWatch = new NodeWatch({ api: upstream.api, address: config.upstream.address, logger, intervalMs })
  const stopNode = () => new Promise((resolve) => node.close(resolve).closeAllConnections())
  onTestFinished(async () => {
    await Promise.all([nodeWatch.stop(), upstream.close(), stopNode()])
  })
  const said = (line: object) => vi.waitFor(() => expect(lines.at(-1)).toMatchObject(line))
  return { answer, lines, said, stopNode }
}

test('a usable node is logged with its version, once', async () => {
  const { said, lines } = await watch({ status: 200, body: INFO })
  await said({ msg: 'upstream: node ready', versions: ['6.3.0'] })
  expect(lines).toHaveLength(1)
})

test.each([
  ['refuses the API key', 401, 'Unauthorized', 'upstream.api_key'],
  ['not that of a Centrifugo node', 404, 'not found', 'upstream.address'],
  ['not that of a Centrifugo node', 200, '<html></html>', 'upstream.address'],
  ['error 108', 200, '{"error":{"code":108,"message":"not available"}}', 'log of the node'],
])('a node is not usable: %s', async (cause, status, body, mend) => {
  const { said } = await watch({ status, body })
  await said({ cause: expect.stringContaining(cause), mend: expect.stringContaining(mend) })
})

test('changes are logged: the node stops', async () => {
  const { said, stopNode } = await watch({ status: 200, body: INFO })
  await said({ msg: 'upstream: node ready' })
  await stopNode()
  await said({ cause: expect.stringContaining('no answer'), mend: expect.stringContaining('start the node') })
})

// A simulated node: answers the requests of a scenario with the recorded bytes, and collects requests that centripush
// must not pass on.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { ScenarioNode } from './scenario-node.ts'
import { isAnsweredAtTheEdge, type Vector } from './vectors.ts'

/** Differs from the key of the vectors, so that the node detects a client's key that was passed on. */
const NODE_KEY = 'key-of-the-replay-node'

/** Starts a node that answers the requests of `vectors` in their order. */
export async function startReplayNode(vectors: readonly Vector[]): Promise<ScenarioNode> {
  const expected = vectors.filter((vector) => !isAnsweredAtTheEdge(vector))
  const violations: string[] = []
  let next = 0
  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const body = await buffer(incoming)
    const problem = findProblem(incoming)
    const nextVector = expected[next]
    // The server asks for the state of its node at its start and at intervals.
    if (incoming.url === '/api/info' && !(nextVector && isRequestOf(nextVector, incoming, body))) {
      outgoing.writeHead(200).end('{"result":{"nodes":[]}}')
      return
    }
    const found = expected.findIndex((vector, index) => index >= next && isRequestOf(vector, incoming, body))
    const vector = expected[found]
    if (problem || !vector) {
      violations.push(`${incoming.method} ${incoming.url}: ${problem ?? 'not a request that the node was asked'}`)
      outgoing.writeHead(500).end()
      return
    }
    next = found + 1
    const { status, headers, body: recorded } = vector.response
    outgoing.writeHead(status, { ...headers, 'content-length': recorded.length }).end(recorded)
  }
  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing).catch((error: unknown) => {
      violations.push(String(error))
      outgoing.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  // A server that listens on TCP has this type of address.
  const port = typeof address === 'object' && address ? address.port : 0
  const stop = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { address: `http://127.0.0.1:${port}`, key: NODE_KEY, violations, isReal: false, stop }
}

function findProblem({ headers, url = '' }: IncomingMessage): string | undefined {
  if (headers['x-api-key'] !== NODE_KEY) return 'not with the key of the node'
  if (headers.authorization !== undefined) return "the client's Authorization got through"
  if (url.includes('?')) return 'a query got through'
  return undefined
}

function isRequestOf({ request }: Vector, incoming: IncomingMessage, body: Buffer): boolean {
  const [path] = request.path.split('?')
  return request.method === incoming.method && path === incoming.url && request.body.equals(body)
}

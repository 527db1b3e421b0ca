// A simulated Centrifugo node: answers with the recorded bytes of a real node (v6.9.1), and stores the received
// requests.
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'

/** Recorded results by method. The integer can't be represented by a double. */
export const RECORDED_RESULTS: Record<string, string> = {
  publish: '{"offset":2,"epoch":"TnZgaUVN"}',
  broadcast:
    '{"responses":[{"result":{"offset":1,"epoch":"kpfNnVkg"}},' +
    '{"error":{"code":102,"message":"unknown channel"}},{"result":{}}]}',
  history: '{"publications":[{"data":{"n":12345678901234567890123},"offset":1}],"epoch":"XosxrbQg","offset":1}',
  channels: '{"channels":{}}',
  presence_stats: '{"num_clients":0,"num_users":0}',
  history_remove: '{}',
  info:
    '{"nodes":[{"uid":"0b4510da-fc4b-4ee8-9706-a502c24d5987","name":"vm_52811","version":"0.0.0 OSS",' +
    '"num_clients":0,"num_users":0,"num_channels":0}]}',
}
const UNKNOWN_CHANNEL = '"error":{"code":102,"message":"unknown channel"}'

interface Command {
  method: string
  params: Record<string, unknown>
}

/** One HTTP request that the node received. */
export interface NodeRequest {
  path: string
  key: string | undefined
  methods: string[]
}

export interface RecordedNode {
  address: string
  /** The API key of the node. */
  key: string
  requests: readonly NodeRequest[]
  stop(): Promise<void>
}

/** Starts a node on a free port. Channels that start with `nope:` are unknown to it. */
export async function startRecordedNode(): Promise<RecordedNode> {
  const key = 'key-of-the-node'
  const requests: NodeRequest[] = []
  const server = createServer((request, response) => {
    const answer = async () => {
      const { path, commands } = readRequest(request, await text(request))
      const given = keyOf(request)
      requests.push({ path, key: given, methods: commands.map(({ method }) => method) })
      response.writeHead(given === key ? 200 : 401, { 'content-type': 'application/json' })
      response.end(given === key ? writeReply(path, commands) : 'Unauthorized\n')
    }
    answer().catch(() => response.destroy())
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
  return { address: `http://127.0.0.1:${port}`, key, requests, stop }
}

function keyOf({ headers }: IncomingMessage): string | undefined {
  const own = headers['x-api-key']
  return typeof own === 'string' ? own : headers.authorization?.replace(/^apikey /i, '')
}

function readRequest(request: IncomingMessage, body: string): { path: string; commands: Command[] } {
  const path = new URL(request.url ?? '/', 'http://node').pathname
  if (path === '/api') return { path, commands: body.split('\n').filter(Boolean).map(readLegacyCommand) }
  if (path === '/api/batch') return { path, commands: readBatch(body) }
  return { path, commands: [{ method: path.replace('/api/', ''), params: parseObject(body) }] }
}

function readLegacyCommand(line: string): Command {
  const { method, params } = parseObject(line)
  return { method: String(method), params: asObject(params) }
}

function readBatch(body: string): Command[] {
  const { commands } = parseObject(body)
  return (Array.isArray(commands) ? commands : []).map((command: unknown) => {
    const [[method, params] = ['', {}]] = Object.entries(asObject(command))
    return { method, params: asObject(params) }
  })
}

function parseObject(json: string): Record<string, unknown> {
  return asObject(JSON.parse(json))
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function writeReply(path: string, commands: Command[]): string {
  if (path !== '/api/batch') return commands.map((command) => `{${writeOutcome(command, 'result')}}`).join('\n')
  const replies = commands.map((command) => `{${writeOutcome(command, command.method)}}`)
  return `{"replies":[${replies.join(',')}]}`
}

function writeOutcome({ method, params }: Command, field: string): string {
  if (String(params.channel).startsWith('nope:')) return UNKNOWN_CHANNEL
  return `"${field}":${RECORDED_RESULTS[method] ?? '{}'}`
}

// The requests of answers.json as bytes. The key is that of the recorded node.

/** The API key of the recorded node. */
export const RECORDED_KEY = 'test-key'

/** Bytes for one connection. */
export interface RawRequests {
  /** As the answers are stored. */
  name: string
  /** In Latin-1. */
  bytes: string
  /** The client closes its side after the last byte. */
  isHalfClosed: boolean
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']
const PATHS = [
  '/connection/sse',
  '/connection/uni_sse',
  '/connection/http_stream',
  '/connection/uni_http_stream',
  '/connection/websocket',
  '/connection/uni_websocket',
  '/connection/init',
  '/connection/unknown',
  '/emulation',
  '/api/publish',
  '/api/unknown',
  '/unknown',
  '//api/publish',
  '/connection//sse',
  '/health',
]
/** These open a client, so their answers do not end. */
const STREAMS = new Set(['GET /connection/uni_sse', 'POST /connection/http_stream', 'POST /connection/sse'])

const CLOSE = 'Connection: close\r\n'
const PUBLISH = '{"channel":"plain:a","data":{}}'

/** A request without a body. */
function ask(method: string, path: string, headers = CLOSE): string {
  const length = method.startsWith('P') ? 'Content-Length: 0\r\n' : ''
  return `${method} ${path} HTTP/1.1\r\nHost: node.example\r\n${headers}${length}\r\n`
}

function publish(headers = ''): string {
  const own = `Host: node.example\r\nX-API-Key: ${RECORDED_KEY}\r\nContent-Length: ${PUBLISH.length}\r\n`
  return `POST /api/publish HTTP/1.1\r\n${own}${headers}\r\n${PUBLISH}`
}

const pipelines: Record<string, string> = {
  'pipeline, the second closes': publish() + publish(CLOSE),
  'pipeline, the first closes': publish(CLOSE) + publish(),
  'pipeline, the second of three closes': publish() + publish(CLOSE) + publish(),
  'pipeline, the second is not HTTP': `${publish()}BAD\r\n\r\n`,
  'pipeline through and past the node': publish() + ask('GET', '/connection/sse', '') + ask('GET', '/api/publish'),
}

const halfClosed: Record<string, string> = {
  'half-closed publish': publish(),
  'half-closed publish with close': publish(CLOSE),
  'half-closed pipeline': publish() + publish(),
  'half-closed pipeline, the second closes': publish() + publish(CLOSE),
  'half-closed request without a key': ask('POST', '/api/publish', ''),
  'half-closed emulation': ask('POST', '/emulation', ''),
  'half-closed health': ask('GET', '/health', ''),
}

const heads: Record<string, string> = {
  'head of 60 KB for the API': publish(`${CLOSE}X-Long: ${'x'.repeat(60_000)}\r\n`),
  'head of 2 MB for the API': publish(`${CLOSE}X-Long: ${'x'.repeat(2_000_000)}\r\n`),
  'head of 2 MB for SSE': ask('GET', `/connection/sse?cf_connect=${'x'.repeat(2_000_000)}`),
  'head of 1 MB for SSE without a command': ask('GET', `/connection/sse?other=${'x'.repeat(1024 * 1024 - 500)}`),
  'not HTTP': 'BAD\r\n\r\n',
  'without a key': ask('POST', '/api/publish'),
  'CONNECT /api/publish': ask('CONNECT', '/api/publish'),
}

const methods = METHODS.flatMap((method) => PATHS.map((path) => `${method} ${path}`)).filter((one) => !STREAMS.has(one))

/** All requests. */
export const requests: readonly RawRequests[] = [
  ...methods.map((name) => {
    const [method = '', path = ''] = name.split(' ')
    return { name, bytes: ask(method, path), isHalfClosed: false }
  }),
  ...Object.entries({ ...pipelines, ...heads }).map(([name, bytes]) => ({ name, bytes, isHalfClosed: false })),
  ...Object.entries(halfClosed).map(([name, bytes]) => ({ name, bytes, isHalfClosed: true })),
]

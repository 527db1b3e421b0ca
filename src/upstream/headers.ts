// Which headers cross the proxy. RFC 9110 section 7.6.1: what is about one connection stays on it.

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** About the message as we send it, so set anew. */
const SET_ANEW = new Set(['host', 'content-length', 'expect'])

/** The client's key for us, of no use to the node, which has its own. */
const CLIENT_KEYS = new Set(['authorization', 'x-api-key'])

/** Headers by lower-case name, as Node and undici parse them. */
type Headers = Record<string, string | string[] | undefined>
type SentHeaders = Record<string, string | string[]>

/** Of a client's headers to the API, those for the node. */
export function apiRequestHeaders(headers: Headers): SentHeaders {
  return pick(headers, (name) => !SET_ANEW.has(name) && !CLIENT_KEYS.has(name))
}

/** Of a client's headers to a connection endpoint, those for the node, which authorizes these clients itself. */
export function connectionRequestHeaders(headers: Headers): SentHeaders {
  return pick(headers, (name) => !SET_ANEW.has(name))
}

/** Of the node's headers, those for the client. */
export function responseHeaders(headers: Headers): SentHeaders {
  return pick(headers, () => true)
}

function pick(headers: Headers, keep: (name: string) => boolean): SentHeaders {
  const named = new Set(
    String(headers.connection ?? '')
      .split(',')
      .map((name) => name.trim().toLowerCase()),
  )
  const picked: SentHeaders = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !HOP_BY_HOP.has(name) && !named.has(name) && keep(name)) picked[name] = value
  }
  return picked
}

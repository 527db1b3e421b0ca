// Selects the headers that the proxy passes on. RFC 9110 section 7.6.1: connection headers are not passed on.

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

/** Headers of the message as it is sent to the node. The HTTP client and RouteHeaders set them. */
const SET_HERE = new Set(['host', 'content-length', 'expect', 'x-forwarded-for', 'x-real-ip', 'via'])

/** Credentials for this server. The node has an API key of its own. */
const CLIENT_KEYS = new Set(['authorization', 'x-api-key'])

/** Headers by lower-case name, as Node and undici parse them. */
type Headers = Record<string, string | string[] | undefined>
/** The headers of a message that is sent. */
export type SentHeaders = Record<string, string | string[]>

/** Selects the headers of an API request for the node. */
export function apiRequestHeaders(headers: Headers): SentHeaders {
  return pick(headers, (name) => !SET_HERE.has(name) && !CLIENT_KEYS.has(name))
}

/** Selects the headers of a request to a connection endpoint for the node. Keeps credentials: the node checks them. */
export function connectionRequestHeaders(headers: Headers): SentHeaders {
  return pick(headers, (name) => !SET_HERE.has(name))
}

/** Selects the headers of an answer of the node for the client. */
export function responseHeaders(headers: Headers): SentHeaders {
  return pick(headers, () => true)
}

function pick(headers: Headers, isPassed: (name: string) => boolean): SentHeaders {
  const connectionOptions = new Set(
    String(headers.connection ?? '')
      .split(',')
      .map((name) => name.trim().toLowerCase()),
  )
  const picked: SentHeaders = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !HOP_BY_HOP.has(name) && !connectionOptions.has(name) && isPassed(name)) {
      picked[name] = value
    }
  }
  return picked
}

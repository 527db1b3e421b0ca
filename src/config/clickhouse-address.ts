// Centrifugo PRO connects to ClickHouse with the native protocol, centripush with HTTP. So that the same configuration
// works for both, an address of the native protocol is replaced by the HTTP address of the same server.

/** The address of a ClickHouse server, and how to sign in there. */
export interface ClickhouseAddress {
  /** `http://HOST:PORT` or `https://HOST:PORT`, without credentials. */
  url: string
  user: string
  password: string
  /** The address of the native protocol that `url` was derived from, without credentials; undefined if none was. */
  nativeUrl: string | undefined
}

const HTTP_PORT = 8123
const HTTPS_PORT = 8443
const NATIVE_PORT = 9000
const SECURE_NATIVE_PORT = 9440

/**
 * Reads a DSN: `tcp://user:password@host:port` as in Centrifugo PRO, or `http(s)://user:password@host:port`. The path
 * and the parameters of a `tcp://` DSN are options of PRO's driver and not used.
 * @param hasTls whether `clickhouse_analytics.tls` is enabled
 * @returns undefined if the DSN has another form
 */
export function parseClickhouseDsn(dsn: string, hasTls: boolean): ClickhouseAddress | undefined {
  const url = URL.parse(dsn)
  if (!url?.hostname) return undefined
  const user = decode(url.username)
  const password = decode(url.password)
  if (user === undefined || password === undefined) return undefined
  const credentials = { user: user || 'default', password }
  switch (url.protocol) {
    case 'tcp:':
      return { ...mapNative(url, hasTls), ...credentials }
    case 'http:':
    case 'https:':
      if (url.pathname !== '/' || url.search !== '') return undefined
      return { url: makeHttpUrl(url, hasTls), nativeUrl: undefined, ...credentials }
    default:
      return undefined
  }
}

function makeHttpUrl({ protocol, hostname, port }: URL, hasTls: boolean): string {
  if (protocol === 'https:' || hasTls) return `https://${hostname}:${port || HTTPS_PORT}`
  return `http://${hostname}:${port || HTTP_PORT}`
}

/**
 * The HTTP address of the server with a native address. Servers that share a host have ports with the same offsets in
 * Centrifugo's example of a cluster: 9000 and 8123, 9001 and 8124, and so on.
 */
function mapNative({ hostname, port }: URL, hasTls: boolean): Pick<ClickhouseAddress, 'url' | 'nativeUrl'> {
  const native = Number(port || (hasTls ? SECURE_NATIVE_PORT : NATIVE_PORT))
  const nativeUrl = `tcp://${hostname}:${native}`
  if (hasTls || native === SECURE_NATIVE_PORT) return { url: `https://${hostname}:${HTTPS_PORT}`, nativeUrl }
  const offset = native - NATIVE_PORT
  return { url: `http://${hostname}:${HTTP_PORT + Math.max(offset, 0)}`, nativeUrl }
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    // A percent sign without two hexadecimal digits after it.
    return undefined
  }
}

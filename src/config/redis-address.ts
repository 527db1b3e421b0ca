// Addresses of Redis, as Centrifugo and redis-cli take them: `host:port`, a path of a socket, or a URL with options in
// its query (https://centrifugal.dev/docs/server/engines#redis-engine-options).
import * as v from 'valibot'
import { parseDuration } from './duration.ts'
import type { RedisOptions } from './redis.ts'

/** An address of Redis is not valid. The message quotes no password. */
export class RedisAddressError extends Error {
  override readonly name = 'RedisAddressError'
}

/** One server: a host and its port, or the path of a socket. */
export type RedisNode = { host: string; port: number } | { path: string }

/** Where and how to connect, with the options of the address merged into those of the section. */
export interface RedisTarget {
  /** `sentinel`: the nodes are Sentinels. `cluster`: the nodes are some of a Cluster. */
  kind: 'server' | 'sentinel' | 'cluster'
  nodes: RedisNode[]
  /** The options. `tls.enabled` and `sentinel_tls.enabled` are true where the address asks for TLS. */
  options: RedisOptions
}

const PORT = 6379
const SENTINEL_PORT = 26_379
const SCHEMES = ['redis', 'rediss', 'tcp', 'unix', 'redis+sentinel', 'rediss+sentinel', 'redis+cluster']
const EXPECTED = 'expected host:port, redis://user:password@host:port/db, rediss:// for TLS, or the path of a socket'

const flag = v.pipe(
  v.picklist(['1', 't', 'T', 'true', 'TRUE', 'True', '0', 'f', 'F', 'false', 'FALSE', 'False']),
  v.transform((text) => /^[1t]/i.test(text)),
)
const duration = v.pipe(v.string(), v.transform(parseDuration), v.number())

/** The options in the query of a URL. Those of Centrifugo that have no meaning here are accepted. */
const Query = v.strictObject({
  db: v.exactOptional(v.pipe(v.string(), v.digits(), v.transform(Number))),
  connect_timeout: v.exactOptional(duration),
  io_timeout: v.exactOptional(duration),
  tls_enabled: v.exactOptional(flag),
  sentinel_tls_enabled: v.exactOptional(flag),
  sentinel_master_name: v.exactOptional(v.string()),
  sentinel_user: v.exactOptional(v.string()),
  sentinel_password: v.exactOptional(v.string()),
  force_resp2: v.exactOptional(flag),
  replica_client_enabled: v.exactOptional(flag),
  client_name: v.exactOptional(v.string()),
})

/** Reads the addresses of a section. @throws RedisAddressError */
export function readRedisTarget(options: RedisOptions): RedisTarget {
  const { sentinel_address, cluster_address, address } = options
  if (cluster_address.length > 0) return { kind: 'cluster', nodes: readNodes(cluster_address, PORT), options }
  if (sentinel_address.length > 0)
    return { kind: 'sentinel', nodes: readNodes(sentinel_address, SENTINEL_PORT), options }
  const [one = ''] = address
  if (one.startsWith('/')) return { kind: 'server', nodes: [{ path: one }], options }
  return one.includes('://') ? readUrl(one, options) : { kind: 'server', nodes: [readNode(one, PORT)], options }
}

/** Centrifugo takes several addresses in one text, separated by commas. */
function readNodes(addresses: readonly string[], defaultPort: number): RedisNode[] {
  return addresses
    .flatMap((address) => address.split(','))
    .filter(Boolean)
    .map((address) => readNode(address.replace(/^rediss?:\/\//, ''), defaultPort))
}

function readNode(text: string, defaultPort: number): RedisNode {
  const [, address, name = '', port] = /^(?:\[([0-9a-f:.]+(?:%\w+)?)\]|([^:/?#@[\]\s]*))(?::(\d+))?$/i.exec(text) ?? []
  const host = address ?? name
  if (host === '' && port === undefined) throw new RedisAddressError(EXPECTED)
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) {
    throw new RedisAddressError('the port must be a number from 1 to 65535')
  }
  return { host: host || '127.0.0.1', port: Number(port ?? defaultPort) }
}

/** Splits `scheme://[user[:password]@]host[:port][/db][?name=value[&…]]`. A password may contain `/`, `#` and `@`. */
function readUrl(text: string, options: RedisOptions): RedisTarget {
  const [, scheme = '', user, place = '', query = ''] =
    /^([a-z+]+):\/\/(?:([^?]*)@)?([^?@]*)(?:\?(.*))?$/s.exec(text) ?? []
  if (!SCHEMES.includes(scheme)) throw new RedisAddressError(EXPECTED)
  const isTls = scheme.startsWith('rediss')
  const { addresses, parsed } = readQuery(query)
  const kind = scheme.endsWith('cluster')
    ? 'cluster'
    : scheme.endsWith('sentinel') || parsed.sentinel_master_name !== undefined
      ? 'sentinel'
      : 'server'
  const [, host = '', db] = scheme === 'unix' ? [] : (/^([^/]*)(?:\/(.*))?$/s.exec(place) ?? [])
  if (db !== undefined && !/^\d*$/.test(db)) throw new RedisAddressError('the database after the host must be a number')
  const node = (address: string) => readNode(address, kind === 'sentinel' ? SENTINEL_PORT : PORT)
  return {
    kind,
    nodes: scheme === 'unix' ? [{ path: place }] : [host || '127.0.0.1', ...addresses].map(node),
    options: {
      ...options,
      ...readUser(user),
      ...(db && { db: Number(db) }),
      ...parsed,
      tls: { ...options.tls, enabled: options.tls.enabled || isTls || parsed.tls_enabled === true },
      sentinel_tls: {
        ...options.sentinel_tls,
        enabled: options.sentinel_tls.enabled || isTls || parsed.sentinel_tls_enabled === true,
      },
    },
  }
}

function readUser(text: string | undefined): Partial<RedisOptions> {
  if (text === undefined) return {}
  const [, user = '', password] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? []
  return {
    ...(user !== '' && { user: decode(user) }),
    ...(password !== undefined && { password: decode(password) }),
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new RedisAddressError('the user or password has a % that does not begin a code: a % itself is written as %25')
  }
}

function readQuery(query: string) {
  const parameters = [...new URLSearchParams(query)]
  const result = v.safeParse(Query, Object.fromEntries(parameters.filter(([name]) => name !== 'addr')))
  if (result.success) {
    const addresses = parameters.filter(([name]) => name === 'addr').map(([, address]) => address)
    return { addresses, parsed: result.output }
  }
  const [issue] = result.issues
  const name = v.getDotPath(issue)
  const isKnown = name !== null && Object.hasOwn(Query.entries, name)
  const names = Object.keys(Query.entries).join(', ')
  // An unknown name is not quoted: it may be the end of a password with a question mark.
  throw new RedisAddressError(
    isKnown
      ? `the option ${name} after ? is not valid`
      : `an option after ? is not known (in a password ? is written as %3F); known are addr, ${names}`,
  )
}

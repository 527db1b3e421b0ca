// Connection strings of PostgreSQL in both forms of libpq: a URI, and `key=value` pairs
// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING).

/** A connection string is not valid. The message quotes no value, because it may be a password. */
export class DsnError extends Error {
  override readonly name = 'DsnError'
}

/** The parameters of a connection string by their names in libpq, such as `host`, `dbname` and `sslmode`. */
export type DsnParameters = ReadonlyMap<string, string>

const SCHEME = /^postgres(ql)?:\/\//
const EXPECTED = 'expected postgresql://user:password@host:port/database'

/** Splits a connection string into its parameters. @throws DsnError */
export function readConnectionString(text: string): DsnParameters {
  if (SCHEME.test(text)) return readUri(text.replace(SCHEME, ''))
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || !text.includes('=')) throw new DsnError(EXPECTED)
  return readPairs(text)
}

/** Adds a parameter to a connection string of either form. */
export function addParameter(text: string, name: string, value: string): string {
  if (!SCHEME.test(text)) return `${text} ${name}='${value.replace(/[\\']/g, '\\$&')}'`
  return `${text}${text.includes('?') ? '&' : '?'}${name}=${encodeURIComponent(value)}`
}

/** Reads a URI without its scheme: `[user[:password]@][host[:port][,…]][/database][?name=value[&…]]`. */
function readUri(text: string): DsnParameters {
  const slash = text.indexOf('/')
  // A password may contain `?` and `#` as they are, so the user ends at `@` wherever these are.
  const at = (slash === -1 ? text : text.slice(0, slash)).lastIndexOf('@')
  const [, hosts = '', database, query] = /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(text.slice(at + 1)) ?? []
  return new Map([
    ...(at === -1 ? [] : readUser(text.slice(0, at))),
    ...readHosts(hosts),
    ...(database ? [['dbname', decode('the name of the database', database)] as const] : []),
    ...(query ? query.split('&').map(readQueryPart) : []),
  ])
}

function readUser(text: string): [string, string][] {
  const colon = text.indexOf(':')
  const user: [string, string] = ['user', decode('the user', colon === -1 ? text : text.slice(0, colon))]
  return colon === -1 ? [user] : [user, ['password', decode('the password', text.slice(colon + 1))]]
}

function readHosts(text: string): [string, string][] {
  if (text === '') return []
  const hosts = text.split(',').map(readHost)
  const ports = hosts.map(({ port }) => port).join(',')
  const named: [string, string] = ['host', hosts.map(({ host }) => host).join(',')]
  return /\d/.test(ports) ? [named, ['port', ports]] : [named]
}

/** Reads `host`, `host:port`, `[address]` or `[address]:port`. */
function readHost(text: string): { host: string; port: string } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(\d*))?$/.exec(text)
  if (!match) {
    throw new DsnError(
      'the host or port is not valid: an IPv6 address stands in brackets, and in a password @ is written as %40, ' +
        '/ as %2F and : as %3A',
    )
  }
  const [, address, name = '', port = ''] = match
  return { host: decode('the host', address ?? name), port }
}

function readQueryPart(part: string): [string, string] {
  const [name = '', value, ...more] = part.split('=')
  if (name === '' || value === undefined || more.length > 0) {
    throw new DsnError('the part after ? must be name=value, separated by & (a = in a value is written as %3D)')
  }
  const decoded = decode(`the value of ${name}`, value)
  // As JDBC writes it; libpq takes it too.
  return name === 'ssl' && decoded === 'true' ? ['sslmode', 'require'] : [decode('the name', name), decoded]
}

function decode(what: string, text: string): string {
  try {
    const decoded = decodeURIComponent(text)
    if (!decoded.includes('\0')) return decoded
  } catch {
    // The error of decodeURIComponent() is dropped: the one below says more.
  }
  throw new DsnError(`${what} has a % that does not begin the code of a character: a % itself is written as %25`)
}

/** Reads pairs such as `host=localhost password='it\'s'`. */
function readPairs(text: string): DsnParameters {
  const parameters = new Map<string, string>()
  const pair = /\s*([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)(?:[^\s\\]|\\.)*)?)(?=\s|$)\s*/sy
  while (pair.lastIndex < text.length) {
    const match = pair.exec(text)
    if (!match) throw new DsnError("expected pairs such as host=localhost password='…', where \\' and \\\\ are escapes")
    const [, name = '', quoted, plain = ''] = match
    parameters.set(name, (quoted ?? plain).replace(/\\(.)/gs, '$1'))
  }
  return parameters
}

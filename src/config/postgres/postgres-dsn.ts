// The meaning of a connection string of PostgreSQL: that of libpq's parameters
// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS). Names that libpq does not have are
// settings of the server.
import { addParameter, DsnError, type DsnParameters, readConnectionString } from './connection-string.ts'

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
/** How a connection uses TLS, in libpq's words. */
export type SslMode = (typeof SSL_MODES)[number]

const SESSIONS = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const
/** The kind of server that a connection needs, in libpq's words. */
export type TargetSession = (typeof SESSIONS)[number]

/** One server of a DSN. */
export interface PostgresHost {
  /** The name in its certificate: a host name, an IP address, or the directory of its socket. */
  name: string
  /** Where to connect: `hostaddr`, otherwise the name. */
  address: string
  port: number
}

/** A parsed DSN. Members that it leaves out are undefined. */
export interface PostgresTarget {
  /** The servers in the order of attempts, at least one. */
  hosts: readonly PostgresHost[]
  user: string | undefined
  password: string | undefined
  database: string | undefined
  tls: {
    mode: SslMode
    /** The files with the trusted authorities, the client certificate and its key. */
    rootCert: string | undefined
    cert: string | undefined
    key: string | undefined
    keyPassword: string | undefined
  }
  session: TargetSession
  /** The time for one server, in ms; undefined if the DSN does not limit it. */
  connectTimeoutMs: number | undefined
  /** Settings of the server for the session. */
  settings: Record<string, string>
}

const DEFAULT_PORT = 5432

/** Parameters with a meaning here, and those of libpq that change nothing here. The others are settings. */
const OWN = new Set(
  'host hostaddr port user password dbname sslmode sslrootcert sslcert sslkey sslpassword'
    .concat(' target_session_attrs connect_timeout')
    .concat(' keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout sslcompression sslsni')
    .concat(' fallback_application_name krbsrvname gsslib client_encoding channel_binding gssencmode')
    .split(' '),
)
/** Parameters of libpq that are accepted only with these values, because others are not supported. */
const LIMITED: Readonly<Record<string, RegExp>> = {
  channel_binding: /^(disable|prefer)$/,
  gssencmode: /^(disable|prefer)$/,
  client_encoding: /^(auto|utf-?8|unicode)$/i,
  service: /^$/,
  passfile: /^$/,
  replication: /^(false|off|no|0)$/,
  requirepeer: /^$/,
  require_auth: /^$/,
  sslcrl: /^$/,
  sslcrldir: /^$/,
  sslnegotiation: /^postgres$/,
}

/** Parses a DSN. @throws DsnError that names the parameter and quotes no value of it that may be secret */
export function parsePostgresDsn(dsn: string): PostgresTarget {
  const parameters = readConnectionString(dsn)
  for (const [name, allowed] of Object.entries(LIMITED)) {
    const value = parameters.get(name)
    if (value !== undefined && !allowed.test(value)) {
      throw new DsnError(`${name} is not supported with this value; leave it out`)
    }
  }
  const timeout = parameters.get('connect_timeout')
  return {
    hosts: readHosts(parameters),
    user: parameters.get('user'),
    password: parameters.get('password'),
    database: parameters.get('dbname'),
    tls: readTls(parameters),
    session: oneOf('target_session_attrs', SESSIONS, parameters.get('target_session_attrs') ?? 'any'),
    connectTimeoutMs: timeout === undefined ? undefined : readNumber('connect_timeout', timeout, 86_400) * 1000,
    settings: Object.fromEntries([...parameters].filter(([name]) => !OWN.has(name) && !Object.hasOwn(LIMITED, name))),
  }
}

/** A DSN that trusts the authority in `caFile`, unless it names another one. Without `sslmode` the host is verified. */
export function trustAuthority(dsn: string, caFile: string): string {
  const parameters = readConnectionString(dsn)
  if (parameters.has('sslrootcert')) return dsn
  const trusting = addParameter(dsn, 'sslrootcert', caFile)
  return parameters.has('sslmode') ? trusting : addParameter(trusting, 'sslmode', 'verify-full')
}

function readHosts(parameters: DsnParameters): PostgresHost[] {
  const names = list(parameters.get('host'))
  const addresses = list(parameters.get('hostaddr'))
  const count = Math.max(names.length, addresses.length, 1)
  if (names.length > 0 && addresses.length > 0 && names.length !== addresses.length) {
    throw new DsnError(`host has ${names.length} names and hostaddr ${addresses.length} addresses`)
  }
  const ports = list(parameters.get('port'))
  if (ports.length > 1 && ports.length !== count)
    throw new DsnError(`there are ${ports.length} ports for ${count} hosts`)
  return Array.from({ length: count }, (_, index) => {
    const address = addresses[index] || names[index] || 'localhost'
    const port = ports.length > 1 ? ports[index] : ports[0]
    return {
      name: names[index] || address,
      address,
      port: port ? readNumber('the port', port, 65_535, 1) : DEFAULT_PORT,
    }
  })
}

function readTls(parameters: DsnParameters): PostgresTarget['tls'] {
  const rootCert = parameters.get('sslrootcert')
  const mode = oneOf(
    'sslmode',
    SSL_MODES,
    parameters.get('sslmode') ?? (rootCert === 'system' ? 'verify-full' : 'prefer'),
  )
  const cert = parameters.get('sslcert')
  // Like libpq: a key without a certificate is not used.
  const key = cert === undefined ? undefined : parameters.get('sslkey')
  if (rootCert === 'system' && mode !== 'verify-full')
    throw new DsnError('sslrootcert=system needs sslmode=verify-full')
  return { mode, rootCert, cert, key, keyPassword: parameters.get('sslpassword') }
}

function list(text: string | undefined): string[] {
  return text ? text.split(',') : []
}

function oneOf<const Word extends string>(name: string, words: readonly Word[], text: string): Word {
  const found = words.find((word) => word === text)
  if (found === undefined) throw new DsnError(`${name} must be one of ${words.join(', ')}`)
  return found
}

function readNumber(what: string, text: string, max: number, min = 0): number {
  if (/^\s*\d+\s*$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text)
  throw new DsnError(`${what} must be a whole number from ${min} to ${max}`)
}

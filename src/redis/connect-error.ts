import { ReplyError } from 'ioredis'
import { UserError } from '../config/user-error.ts'
import { DeadlineError } from '../timing/deadline.ts'

/** Redis can not be used. The message has the cause and the mend. */
export class RedisConnectError extends UserError {
  override readonly name = 'RedisConnectError'
  /** Whether the same attempt may succeed later: the server is starting, or the network is not ready. */
  readonly mayPass: boolean

  /** @param option the section with the address */
  constructor(option: string, cause: unknown) {
    const { why, mend, mayPass = false } = explain(unwrap(cause))
    super(`${option}: can't be used: ${why}; ${mend}`, { cause })
    this.mayPass = mayPass
  }
}

interface Explanation {
  why: string
  mend: string
  mayPass?: boolean
}

const START = 'check that Redis is running and that the address is right'

/** By Node's code. */
const NETWORK: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
])

/** By the text of the error reply. */
const REPLIES: readonly [pattern: RegExp, mend: string, mayPass?: boolean][] = [
  [/^WRONGPASS|^ERR invalid password/, 'correct the user and the password'],
  [/^NOAUTH/, 'Redis asks for a password: set password, and user if it is not the default one'],
  [/older than Redis/, 'use Redis 7.0 or newer, or Valkey'],
  [/^READONLY/, 'set the address to the primary'],
  [
    /NOPERM|ERR The user/,
    'allow all commands on keys and channels with the prefix: ACL SETUSER … ~PREFIX* ~{PREFIX}* &PREFIX* +@all',
  ],
  [/^ERR DB index|^ERR SELECT|invalid DB index/, 'correct db: a server has 16 databases by default, a Cluster only 0'],
  [/^LOADING|^MASTERDOWN|^CLUSTERDOWN|^TRYAGAIN/, 'wait until Redis has started', true],
]

function explain(error: Error): Explanation {
  const why = error.message
  if (error instanceof DeadlineError || why === 'Command timed out') {
    return { why: 'Redis does not answer in time', mend: START, mayPass: true }
  }
  const known = REPLIES.find(([pattern]) => pattern.test(why))
  // The first clause of a reply is enough: NOAUTH explains the protocol after it.
  if (known) return { why: why.replace(/,.*/s, ''), mend: known[1], mayPass: known[2] === true }
  if (error instanceof ReplyError) return { why, mend: 'see the log of Redis' }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (code === 'ETIMEDOUT') return { why, mend: `${START}, and whether the port needs TLS`, mayPass: true }
  if (NETWORK.has(code)) return { why: why.includes(code) ? why : `${code} ${why}`.trim(), mend: START, mayPass: true }
  if (/ALTNAME/.test(code))
    return { why, mend: 'correct the address, or set tls.server_name to a name in the certificate' }
  if (/CERT|ISSUER|LEAF/.test(code)) return { why, mend: 'set tls.server_ca_pem to the authority of the certificate' }
  if (/SSL|TLS|EPROTO/.test(code)) {
    return { why, mend: 'check that the port is the TLS port of Redis, and the client certificate in tls' }
  }
  if (/invalid reply: null/.test(why)) return { why, mend: 'correct sentinel_master_name' }
  if (why === 'Connection is closed.') {
    return { why: 'Redis closes the connection', mend: 'check the port, and whether it needs TLS', mayPass: true }
  }
  return { why, mend: START }
}

/** The error of the server behind an error of the client for a Cluster or for several addresses of a name. */
function unwrap(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  if ('lastNodeError' in error && error.lastNodeError instanceof Error) return unwrap(error.lastNodeError)
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return unwrap(error.errors[0])
  return error
}

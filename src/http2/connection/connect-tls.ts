import { isIP, type LookupFunction } from 'node:net'
import {
  connect,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
  type ConnectionOptions as TlsOptions,
} from 'node:tls'
import { AddressRefused, guardLookup, type IsAddressAllowed, isRefusedLiteral } from '../address-guard.ts'
import { trustedAuthorities } from '../trusted-authorities.ts'

/** Where to, whom to trust, and who we are. */
export interface TlsTarget {
  /** `https://host[:port]`. */
  origin: string
  /** Whom we trust and who we are: one for all connections, since reading the authorities takes some 20 ms. */
  secureContext: SecureContext
  /** Instead of the system's. */
  lookup?: LookupFunction | undefined
  /** Asked of every address before it is connected to; all are allowed without. */
  isAddressAllowed?: IsAddressAllowed | undefined
}

/** An authority (PEM) to trust besides the built-in ones; a client certificate with its key, in PEM or as PKCS #12. */
export interface Credentials {
  ca?: string | undefined
  certificate?: { cert: string; key: string } | { pfx: Buffer; passphrase: string } | undefined
}

/** RFC 9113 section 9.2: TLS 1.2 at least. Throws where a PEM text is none. */
export function makeSecureContext({ ca, certificate }: Credentials): SecureContext {
  const trusted = trustedAuthorities(ca)
  return createSecureContext({ minVersion: 'TLSv1.2', ...(trusted && { ca: trusted }), ...certificate })
}

/**
 * All connections read into the same memory: a chunk is consumed, or copied, before the next one is read. Idle
 * connections, of which Web Push may have many, cost little that way.
 */
const receiveBuffer = Buffer.allocUnsafeSlow(64 * 1024)

/**
 * Connects with h2 by ALPN and the server's name in SNI, unless it is an IP address (RFC 9113 section 9.2). `onChunk` gets
 * the bytes as they come, valid during the call only. Failures come as the socket's 'error', then 'close'.
 */
export function connectTls(target: TlsTarget, onChunk: (chunk: Buffer) => void): TLSSocket {
  const { hostname, port } = new URL(target.origin)
  const { secureContext, lookup, isAddressAllowed } = target
  const host = hostname.replace(/^\[|\]$/g, '')
  const guarded = isAddressAllowed ? guardLookup(isAddressAllowed, lookup) : lookup
  // Without the streams of Node's: a chunk costs no Buffer and no event. net.Socket documents it, tls passes it on.
  const onread = {
    buffer: receiveBuffer,
    callback: (length: number, buffer: Uint8Array) => {
      onChunk(buffer === receiveBuffer ? receiveBuffer.subarray(0, length) : Buffer.from(buffer.subarray(0, length)))
      return true
    },
  }
  const options: TlsOptions & { onread: typeof onread } = {
    host,
    port: Number(port || 443),
    servername: isIP(host) ? '' : host,
    secureContext,
    ALPNProtocols: ['h2'],
    onread,
    ...(guarded && { lookup: guarded }),
  }
  const socket = connect(options)
  socket.setNoDelay(true)
  if (isRefusedLiteral(host, isAddressAllowed)) socket.destroy(new AddressRefused())
  return socket
}

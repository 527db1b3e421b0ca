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

/** A server, and the parameters of connections to it. */
export interface TlsEndpoint {
  /** `https://host[:port]`. */
  origin: string
  /** Shared by all connections, because loading the authorities takes about 20 ms. */
  secureContext: SecureContext
  /** Replaces the system's resolver. */
  lookup?: LookupFunction | undefined
  /** Decides for every address before a connection to it. All are allowed unless given. */
  isAddressAllowed?: IsAddressAllowed | undefined
}

/** Certificates of connections. */
export interface Credentials {
  /** An authority (PEM) to trust in addition to the built-in ones. */
  ca?: string | undefined
  /** A client certificate with its key, in PEM or as PKCS #12. */
  certificate?: { cert: string; key: string } | { pfx: Buffer; passphrase: string } | undefined
}

/**
 * Makes the context for TLS 1.2 or later (RFC 9113 section 9.2). Throws an error of Node when a PEM text is invalid.
 */
export function makeSecureContext({ ca, certificate }: Credentials): SecureContext {
  const trusted = trustedAuthorities(ca)
  return createSecureContext({ minVersion: 'TLSv1.2', ...(trusted && { ca: trusted }), ...certificate })
}

/** The server does not support HTTP/2. */
class Http2NotSelected extends Error {
  override readonly name = 'Http2NotSelected'
  readonly code = 'ERR_HTTP2_NOT_SELECTED'
}

/** Events of a TLS connection. */
export interface TlsEvents {
  /** The handshake is complete, and the server has selected h2. */
  onSecure(): void
  /** Bytes were received. They are valid during the call only. */
  onChunk(chunk: Buffer): void
  /** The socket has sent its buffered bytes. */
  onDrain(): void
  /** The server has closed its side. */
  onEnd(): void
  /** The connection failed, with an error code of Node, `AddressRefused` or `Http2NotSelected`. `onClose` follows. */
  onError(code: string): void
  /** The connection is closed. Called exactly once. */
  onClose(): void
}

/**
 * The receive buffer of all connections: each chunk is consumed or copied before the next one is read. Idle
 * connections, of which Web Push may have many, then need no buffer of their own.
 */
const receiveBuffer = Buffer.allocUnsafeSlow(64 * 1024)

/**
 * Connects with ALPN for h2 and, unless the host is an IP address, with SNI (RFC 9113 section 9.2). Closes the
 * connection when the server selects another protocol.
 */
export function connectTls(endpoint: TlsEndpoint, events: TlsEvents): TLSSocket {
  const { hostname, port } = new URL(endpoint.origin)
  const { secureContext, lookup, isAddressAllowed } = endpoint
  const host = hostname.replace(/^\[|\]$/g, '')
  const guarded = isAddressAllowed ? guardLookup(isAddressAllowed, lookup) : lookup
  // `onread` bypasses Node's streams, so a chunk costs no event and no memory. net.Socket documents it, tls passes it
  // on.
  const onread = {
    buffer: receiveBuffer,
    callback: (length: number, buffer: Uint8Array) => {
      events.onChunk(
        buffer === receiveBuffer ? receiveBuffer.subarray(0, length) : Buffer.from(buffer.subarray(0, length)),
      )
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
  listen(socket, events)
  if (isRefusedLiteral(host, isAddressAllowed)) socket.destroy(new AddressRefused())
  return socket
}

function listen(socket: TLSSocket, events: TlsEvents): void {
  socket.once('secureConnect', () => {
    // RFC 9113 section 3.2: a server that did not select h2 would parse the frames as HTTP/1.
    if (socket.alpnProtocol === 'h2') events.onSecure()
    else socket.destroy(new Http2NotSelected())
  })
  socket.on('drain', () => events.onDrain())
  socket.once('end', () => events.onEnd())
  socket.on('error', (error) => {
    events.onError('code' in error && typeof error.code === 'string' ? error.code : error.name)
  })
  socket.once('close', () => events.onClose())
}

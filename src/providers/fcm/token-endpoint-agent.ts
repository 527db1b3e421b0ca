import { Agent, type AgentOptions } from 'node:https'
import { isIP } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { trustedAuthorities } from '../../http2/trusted-authorities.ts'

/** A token endpoint that says nothing for this long is given up; Google answers within a second. */
const SOCKET_TIMEOUT_MS = 10_000

/**
 * An agent whose connections all go to one endpoint. google-auth-library has Google's token URL built in; this is the
 * door it leaves for a private endpoint or a simulator. The request, its Host header and the assertion's audience
 * stay Google's; the certificate is checked against the endpoint's own name.
 */
export class TokenEndpointAgent extends Agent {
  readonly #target: ConnectionOptions

  constructor(endpoint: URL, ca: string | undefined, options: AgentOptions = {}) {
    super(options)
    const authorities = trustedAuthorities(ca)
    this.#target = {
      host: endpoint.hostname.replace(/^\[|\]$/g, ''),
      port: Number(endpoint.port || 443),
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      ...(authorities && { ca: authorities }),
    }
  }

  /** Ignores where the request wants to go. */
  override createConnection(): TLSSocket {
    const socket = connect({ ...this.#target, servername: serverName(this.#target.host) })
    socket.setTimeout(SOCKET_TIMEOUT_MS, () => socket.destroy(new Error('the token endpoint did not answer')))
    return socket
  }
}

/** RFC 6066 section 3: no IP addresses in SNI; an empty name leaves it out. */
function serverName(host = ''): string {
  return isIP(host) ? '' : host
}

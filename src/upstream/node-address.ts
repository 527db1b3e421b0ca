/** The node's base URL, parsed. */
export class NodeAddress {
  /** Scheme, host and port, as undici takes them. */
  readonly origin: string
  /** The node is reached by TLS. */
  readonly isSecure: boolean
  /** Without the brackets of an IPv6 address. */
  readonly host: string
  /** The port, also when it is the scheme's default. */
  readonly port: number
  readonly #basePath: string

  constructor(address: string) {
    const { origin, protocol, hostname, port, pathname } = new URL(address)
    this.origin = origin
    this.isSecure = protocol === 'https:'
    this.host = hostname.replace(/^\[|\]$/g, '')
    this.port = Number(port || (this.isSecure ? 443 : 80))
    this.#basePath = pathname.replace(/\/$/, '')
  }

  /** A path below the base URL. */
  path(path: string): string {
    return this.#basePath + path
  }
}

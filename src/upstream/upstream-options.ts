import type { NodePathOptions } from './node-paths.ts'

/** How to reach the node. */
export interface UpstreamOptions {
  /** The node's base URL. */
  address: string
  /** The node's API key; empty for none. */
  apiKey: string
  /** Time until the node must start to answer, and longest pause within an answer to an API request. */
  timeoutMs: number
  connectTimeoutMs: number
  /** Connections for API requests. Connection endpoints have no limit. */
  maxConnections: number
  /** Authorities (PEM) to trust; undefined for the built-in ones. */
  ca: string[] | undefined
  /** Request the transport error mode from the node, regardless of the client's request. */
  transportErrors: boolean
  /** Limit of request bodies. */
  maxRequestBytes: number
  paths: NodePathOptions
  /** CIDR blocks of the proxies in front of this server that tell the address of a client. */
  trustedProxies: readonly string[]
}

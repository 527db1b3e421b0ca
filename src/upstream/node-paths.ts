/** The paths of the node's endpoints, as its configuration has them. */
export interface NodePathOptions {
  /** Of the endpoints for clients; `/` for all paths. `/connection/*` and `/emulation` are always passed. */
  connections: readonly string[]
  /** Of SSE. Its requests carry a command in their URL. */
  sse: readonly string[]
  /** The prefix of the admin web UI, `/` for none; undefined when it is not passed on. */
  admin: string | undefined
}

/** The directories and files of the admin web UI: below the root the node has other endpoints too. */
const ADMIN_AT_ROOT = /^\/(?:(?:admin|assets)\/.*|[^/]+\.[a-z]+)?$/

/** Decides which paths are passed on to the node. Paths are clean and unescaped. */
export class NodePaths {
  readonly #connections: ReadonlySet<string>
  readonly #sse: ReadonlySet<string>
  readonly #admin: string | undefined

  constructor({ connections, sse, admin }: NodePathOptions) {
    this.#connections = new Set(['/emulation', ...connections.map(trimSlashes)])
    this.#sse = new Set(sse.map(trimSlashes))
    this.#admin = admin === undefined ? undefined : trimSlashes(admin)
  }

  /** A path of a connection endpoint. */
  isConnection(path: string): boolean {
    return path.startsWith('/connection/') || this.#connections.has(path) || this.#connections.has('/')
  }

  /** A path of SSE. */
  isSse(path: string): boolean {
    return this.#sse.has(path)
  }

  /** A path of the admin web UI. */
  isAdmin(path: string): boolean {
    if (this.#admin === undefined) return false
    return this.#admin === '/' ? ADMIN_AT_ROOT.test(path) : path.startsWith(`${this.#admin}/`)
  }
}

/** As a node does with its prefixes: without slashes at the end, and `/` for an empty one. */
function trimSlashes(prefix: string): string {
  return prefix.replace(/\/+$/, '') || '/'
}

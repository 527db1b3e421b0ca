// Chooses among the servers of a DSN as libpq does: in their order, the first that can be reached and is of the kind
// that `target_session_attrs` asks for.
import { setMaxListeners } from 'node:events'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { PostgresHost, PostgresTarget, TargetSession } from '../../config/postgres/postgres-dsn.ts'
import { ConnectError, NO_SUITABLE_SERVER } from './connect-error.ts'
import { describeHost, openSocket } from './open-socket.ts'

/** The state of a server that `target_session_attrs` depends on. */
export interface ServerState {
  isReadOnly: boolean
  isStandby: boolean
}

/**
 * Opens a connection for the PostgreSQL driver. It never rejects, because the driver loses the connection then: a
 * failure is a stream that fails at the first write.
 */
export type OpenStream = () => Promise<Duplex>

/** For this long, in ms, an answer is used for further connections: a pool opens many at once. */
const ANSWER_VALID_MS = 1000

const SUITS: Readonly<Record<TargetSession, (state: ServerState) => boolean>> = {
  any: () => true,
  'read-write': ({ isReadOnly }) => !isReadOnly,
  'read-only': ({ isReadOnly }) => isReadOnly,
  primary: ({ isStandby }) => !isStandby,
  standby: ({ isStandby }) => isStandby,
  'prefer-standby': ({ isStandby }) => isStandby,
}

interface Deps {
  target: PostgresTarget
  /** Asks a server for its state, on a connection that `open` opens. */
  readState(open: OpenStream): Promise<ServerState>
}

/** Opens the connections of one pool. */
export class ServerChoice {
  readonly #deps: Deps
  readonly #closing = new AbortController()
  #chosen: { host: Promise<PostgresHost>; untilMs: number } | undefined

  constructor(deps: Deps) {
    this.#deps = deps
    // A pool opens many connections at once. Node warns of a leak from the eleventh listener on.
    setMaxListeners(0, this.#closing.signal)
  }

  /** Opens a connection to a suitable server. */
  readonly open: OpenStream = () => orFailing(this.#open())

  /** Closes connections that are being opened. */
  close(): void {
    this.#closing.abort()
  }

  async #open(): Promise<Socket> {
    const { target } = this.#deps
    if (target.session === 'any') return await this.#openFirst(target.hosts)
    const host = await this.#choose()
    try {
      return await this.#openHost(host)
    } catch (error) {
      this.#chosen = undefined
      throw error
    }
  }

  #openHost(host: PostgresHost): Promise<Socket> {
    return openSocket(host, this.#deps.target, this.#closing.signal)
  }

  /** Opens a connection to the first host that can be reached. @throws ConnectError of the last one */
  async #openFirst([host, ...others]: readonly PostgresHost[]): Promise<Socket> {
    if (!host) throw new Error('a DSN has at least one host')
    try {
      return await this.#openHost(host)
    } catch (error) {
      if (others.length === 0 || this.#closing.signal.aborted) throw error
      return await this.#openFirst(others)
    }
  }

  #choose(): Promise<PostgresHost> {
    const nowMs = performance.now()
    if (!this.#chosen || this.#chosen.untilMs < nowMs) {
      const host = this.#findSuitable()
      const chosen = { host, untilMs: nowMs + ANSWER_VALID_MS }
      this.#chosen = chosen
      host.catch(() => {
        if (this.#chosen === chosen) this.#chosen = undefined
      })
    }
    return this.#chosen.host
  }

  async #findSuitable(): Promise<PostgresHost> {
    const { hosts, session } = this.#deps.target
    const found: { host: PostgresHost; state: ServerState }[] = []
    let lastError: unknown
    for (const host of hosts) {
      try {
        const state = await this.#deps.readState(() => orFailing(this.#openHost(host)))
        if (SUITS[session](state)) return host
        found.push({ host, state })
      } catch (error) {
        lastError = error
      }
    }
    const [any] = found
    if (!any) throw lastError
    if (session === 'prefer-standby') return any.host
    const listed = found.map(({ host, state }) => `${describeHost(host)} is ${describeState(state)}`).join(', ')
    throw new ConnectError(`no server with target_session_attrs=${session}: ${listed}`, NO_SUITABLE_SERVER)
  }
}

async function orFailing(opened: Promise<Socket>): Promise<Duplex> {
  try {
    return await opened
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error))
    return new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(cause) })
  }
}

function describeState({ isStandby, isReadOnly }: ServerState): string {
  return `a ${isStandby ? 'standby' : 'primary'}${isReadOnly ? ', read-only' : ''}`
}

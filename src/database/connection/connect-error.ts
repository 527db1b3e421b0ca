/** A connection to PostgreSQL can not be opened. `code` is Node's code, or one of these. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError'
  readonly code: string

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The server does not support TLS, and `sslmode` needs it. */
export const NO_TLS = 'NO_TLS'
/** The certificate of the server is not accepted, or the handshake failed. */
export const TLS_FAILED = 'TLS_FAILED'
/** A certificate or key in the DSN can not be used. */
export const TLS_FILE = 'TLS_FILE'
/** The servers answer, but none is of the kind that `target_session_attrs` asks for. */
export const NO_SUITABLE_SERVER = 'NO_SUITABLE_SERVER'

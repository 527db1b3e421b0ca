import postgres from 'postgres'

/** Error codes of Node and of the PostgreSQL driver for a connection that was lost or can't be opened. */
const LOST = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'CONNECT_TIMEOUT',
])

/**
 * Whether the error of a failed statement means that its connection has ended: it was lost, or PostgreSQL closed it.
 */
export function endsConnection(error: unknown): boolean {
  if (error instanceof postgres.PostgresError) return error.severity === 'FATAL' || error.severity === 'PANIC'
  return hasLostCode(error)
}

/**
 * Prevents the end of the process in one case: the PostgreSQL driver reads the server's array types on each new
 * connection and does not handle the rejection of that query, and Node ends a process at an unhandled rejection. If the
 * new connection is lost at that moment, the statement that needed it fails on its own. Any other unhandled rejection
 * still ends the process. Call it once, at the start.
 */
export function surviveLostConnections(): void {
  process.on('unhandledRejection', (reason) => {
    if (hasLostCode(reason) && 'query' in reason) return
    throw reason
  })
}

/** Whether an error is due to a connection that was lost or can not be opened. */
export function hasLostCode(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && LOST.has(String(error.code))
}

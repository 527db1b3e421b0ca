import postgres from 'postgres'

/** Codes of Node and of the library for a connection that was lost or can't be opened. */
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

/** Whether the connection of a failed statement has ended: it was lost, or the server closed it with an error. */
export function endsConnection(error: unknown): boolean {
  if (error instanceof postgres.PostgresError) return error.severity === 'FATAL' || error.severity === 'PANIC'
  return hasLostCode(error)
}

/**
 * Keeps the process alive when a new connection is lost while the library reads the array types of the server. The
 * library does not handle the rejection of that query, and Node ends a process at an unhandled rejection. The statement
 * that needed the connection fails on its own. Any other unhandled rejection still ends the process. Call it once, at
 * the start.
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

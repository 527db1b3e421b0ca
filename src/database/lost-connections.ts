import postgres from 'postgres'

/** What `code` says of a connection that was lost, or could not be made again: from Node, and from the library. */
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

/** Whether a statement failed with its connection: that was lost, or the server ended it and said why. */
export function endsConnection(error: unknown): boolean {
  if (error instanceof postgres.PostgresError) return error.severity === 'FATAL' || error.severity === 'PANIC'
  return hasLostCode(error)
}

/**
 * Keeps the process alive when a new connection is lost while the library asks it for the server's array types, also when
 * it then can't connect again: nobody holds the promise of that question, and a rejection that nobody handles ends a Node
 * process. The statement that needed the connection fails by itself. Any other unhandled rejection still ends it. Call it
 * once, at the start.
 */
export function surviveLostConnections(): void {
  process.on('unhandledRejection', (reason) => {
    if (hasLostCode(reason) && 'query' in reason) return
    throw reason
  })
}

function hasLostCode(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && LOST.has(String(error.code))
}

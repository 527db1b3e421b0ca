/** A part of the query that the PostgreSQL driver runs on each new connection: it reads the array types. */
const QUERY_OF_NEW_CONNECTIONS = 'from pg_catalog.pg_type'

/**
 * Whether an error that no code handled fails the run. The exception is that of a connection that a test's end cuts
 * while it is opened, as surviveLostConnections() describes it.
 */
export function failsRun(error: object): boolean {
  return !('query' in error && String(error.query).includes(QUERY_OF_NEW_CONNECTIONS))
}

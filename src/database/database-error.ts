import postgres from 'postgres'

/**
 * A statement failed. The error has no parameters and no row values, which the driver attaches to its own errors,
 * because they contain tokens. `code` is the SQLSTATE, or the driver's code for a lost connection.
 */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
  readonly code: string
  /** The name of the violated constraint; undefined if the error has another cause. */
  readonly constraint: string | undefined

  constructor(message: string, code: string, constraint: string | undefined) {
    super(message)
    this.code = code
    this.constraint = constraint
  }
}

/** The driver's code for a connection that opened without an answer. Its message names no server. */
const NO_GREETING = 'CONNECT_TIMEOUT'
const NO_GREETING_WHY =
  'the server accepts connections and does not answer in time, as a pooler does whose PostgreSQL is not reachable'

/** Converts the error of a statement to a DatabaseError; undefined if the error is not from the database. */
export function readDatabaseError(error: unknown): DatabaseError | undefined {
  if (error instanceof DatabaseError) return error
  if (error instanceof postgres.PostgresError) {
    return new DatabaseError(error.message, error.code, error.constraint_name)
  }
  // For a lost connection the driver and Node throw plain errors that have a `code`.
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return new DatabaseError(error.code === NO_GREETING ? NO_GREETING_WHY : error.message, error.code, undefined)
  }
  return undefined
}

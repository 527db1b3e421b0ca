import postgres from 'postgres'

/**
 * A failed statement. The parameters and row values that the driver attaches to its own errors are left out, because
 * they contain tokens. `code` is the SQLSTATE, or the code of the driver for a lost connection.
 */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
  readonly code: string
  /** The violated constraint, if there is one. */
  readonly constraint: string | undefined

  constructor(message: string, code: string, constraint: string | undefined) {
    super(message)
    this.code = code
    this.constraint = constraint
  }
}

/** Converts the rejection of a statement to a DatabaseError; undefined for an error that is not of the database. */
export function readDatabaseError(error: unknown): DatabaseError | undefined {
  if (error instanceof DatabaseError) return error
  if (error instanceof postgres.PostgresError) {
    return new DatabaseError(error.message, error.code, error.constraint_name)
  }
  // For connections the driver and Node use plain errors with a code.
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return new DatabaseError(error.message, error.code, undefined)
  }
  return undefined
}

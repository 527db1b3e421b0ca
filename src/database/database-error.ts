import postgres from 'postgres'

/**
 * A failed statement without what the driver attaches to it: its parameters and the row's values, which hold tokens.
 * `code` is the SQLSTATE, or the driver's own code of a lost connection.
 */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
  readonly code: string
  /** The constraint that was violated, if one was. */
  readonly constraint: string | undefined

  constructor(message: string, code: string, constraint: string | undefined) {
    super(message)
    this.code = code
    this.constraint = constraint
  }
}

/** Whatever a statement rejected with as a DatabaseError; undefined when it does not come from the database. */
export function readDatabaseError(error: unknown): DatabaseError | undefined {
  if (error instanceof DatabaseError) return error
  if (error instanceof postgres.PostgresError) {
    return new DatabaseError(error.message, error.code, error.constraint_name)
  }
  // The driver's and Node's errors of a connection are plain errors with a code.
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return new DatabaseError(error.message, error.code, undefined)
  }
  return undefined
}

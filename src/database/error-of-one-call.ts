import postgres from 'postgres'
import { isTooLate } from './call-deadline.ts'
import { endsConnection } from './lost-connections.ts'

/**
 * Whether one of the calls that share a statement may be the cause of its error: a value that PostgreSQL refuses, a
 * lock that another transaction holds, or a deadline. After a lost connection the others fail as well.
 */
export function mayBeOfOneCall(error: unknown): boolean {
  return isTooLate(error) || (error instanceof postgres.PostgresError && !endsConnection(error))
}

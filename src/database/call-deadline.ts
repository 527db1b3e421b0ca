import type { StoreClock } from '../timing/store-clock.ts'
import { DatabaseError, readDatabaseError } from './database-error.ts'
import type { Fragment, Queryable } from './pool.ts'

/** The SQLSTATE of a refusal by the function `refuse_after`. */
const REFUSED = 'CP001'
/** The `code` of the DatabaseError for a call that was dropped before its statement. */
const TOO_LATE = 'TOO_LATE'

/** The end of the time in which a call may be executed. After it, the call is answered with an error. */
export class CallDeadline {
  readonly #clock: StoreClock
  readonly #atMs: number

  /** @param atMs by the clock of `performance.now()` */
  constructor(clock: StoreClock, atMs: number) {
    this.#clock = clock
    this.#atMs = atMs
  }

  get isPast(): boolean {
    return performance.now() > this.#atMs
  }

  /** The call must not begin another statement after its deadline. @throws DatabaseError with the code TOO_LATE */
  check(): void {
    if (this.isPast) throw makeLateError()
  }

  /** Resolves to the deadline as a Unix time in ms of the database's clock. @throws DatabaseError as check() does */
  async toDatabaseTime(): Promise<number> {
    const databaseMs = await this.#clock.convert(this.#atMs)
    this.check()
    return databaseMs
  }
}

/** The error of a call that is dropped because its deadline has passed. */
export function makeLateError(): DatabaseError {
  return new DatabaseError('call dropped: its deadline has passed', TOO_LATE, undefined)
}

/** Whether a call was dropped because its deadline had passed. */
export function isTooLate(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === TOO_LATE
}

/**
 * A condition that is true until the database's clock shows `deadlineMs`, and then fails the statement. It belongs into
 * `returning`, or behind the rows that the statement has written: it must be evaluated after waits for locks.
 */
export function isInTime(sql: Queryable, deadlineMs: number): Fragment {
  return sql`refuse_after(${deadlineMs}::float8)`
}

/** Whether the database refused a write because its deadline had passed. */
export function isRefusal(error: unknown): boolean {
  return readDatabaseError(error)?.code === REFUSED
}

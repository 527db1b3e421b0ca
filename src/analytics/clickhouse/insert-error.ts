// Decides from the error of an insert how the batch continues. The codes are those of ClickHouse
// (src/Common/ErrorCodes.cpp).
import { ClickHouseError } from '@clickhouse/client'

/**
 * `retry`: the same insert may succeed later, because the server cannot be reached or is overloaded. `operator`: it
 * fails until somebody changes the table, the user or the configuration. `refused`: ClickHouse can't read or store
 * these rows.
 */
export type InsertVerdict = 'retry' | 'operator' | 'refused'

const REFUSED: ReadonlySet<string> = new Set([
  '6', // CANNOT_PARSE_TEXT
  '26', // CANNOT_PARSE_QUOTED_STRING
  '27', // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  '32', // ATTEMPT_TO_READ_AFTER_EOF
  '33', // CANNOT_READ_ALL_DATA
  '41', // CANNOT_PARSE_DATETIME
  '69', // ARGUMENT_OUT_OF_BOUND
  '117', // INCORRECT_DATA
  '131', // TOO_LARGE_STRING_SIZE
  '469', // VIOLATED_CONSTRAINT
])

const OPERATOR: ReadonlySet<string> = new Set([
  '16', // NO_SUCH_COLUMN_IN_TABLE
  '20', // NUMBER_OF_COLUMNS_DOESNT_MATCH
  '36', // BAD_ARGUMENTS
  '44', // ILLEGAL_COLUMN
  '47', // UNKNOWN_IDENTIFIER
  '48', // NOT_IMPLEMENTED
  '53', // TYPE_MISMATCH
  '60', // UNKNOWN_TABLE
  '62', // SYNTAX_ERROR
  '81', // UNKNOWN_DATABASE
  '115', // UNKNOWN_SETTING
  '164', // READONLY
  '170', // BAD_GET, for an unknown cluster in older versions
  '192', // UNKNOWN_USER
  '193', // WRONG_PASSWORD
  '194', // REQUIRED_PASSWORD
  '195', // IP_ADDRESS_NOT_ALLOWED
  '452', // SETTING_CONSTRAINT_VIOLATION
  '497', // ACCESS_DENIED
  '516', // AUTHENTICATION_FAILED
  '701', // CLUSTER_DOESNT_EXIST
])

/** Errors of a connection that was never made: the server has certainly not got the batch. */
const NOT_CONNECTED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'])

/** The verdict on an insert that failed. Errors without a known code are retried, because that loses no row. */
export function judgeInsertError(error: unknown): InsertVerdict {
  if (!(error instanceof ClickHouseError)) return 'retry'
  if (REFUSED.has(error.code)) return 'refused'
  return OPERATOR.has(error.code) ? 'operator' : 'retry'
}

/** Whether the server may have stored the batch although the insert failed. */
export function mayBeStored(error: unknown): boolean {
  return !(error instanceof Error && 'code' in error && NOT_CONNECTED.has(String(error.code)))
}

/** The longest text of an error in the log, in characters: the answer of a proxy may be a whole page. */
const MAX_TEXT = 300

/** The error as a text for the log, with the code of ClickHouse or of the connection. */
export function explainError(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  const text = error.message.trim() || error.name
  const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
  return 'code' in error ? `${short} (${error.code})` : short
}

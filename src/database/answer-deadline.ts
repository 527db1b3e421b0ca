import { withDeadline } from '../timing/deadline.ts'
import { DatabaseError } from './database-error.ts'

/** The `code` of the DatabaseError for a statement without an answer in time. */
export const NO_ANSWER = 'NO_ANSWER'
/** In ms: longer than any call of the API takes, and shorter than the timeouts of clients and proxies. */
export const ANSWER_TIMEOUT_MS = 10_000

/**
 * Resolves or rejects as the answer of a statement does, but rejects with a DatabaseError (code NO_ANSWER) after
 * `timeoutMs` at the latest: when the network drops packets silently, neither the server's own time limit nor an error
 * ever arrives. The statement may have taken effect all the same.
 */
export function answerWithin<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  return withDeadline(answer, timeoutMs, () => new DatabaseError(`no answer in ${timeoutMs} ms`, NO_ANSWER, undefined))
}

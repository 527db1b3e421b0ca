import { withDeadline } from '../timing/deadline.ts'
import { DatabaseError } from './database-error.ts'

/** The `code` of the DatabaseError of a statement that got no answer in time. */
export const NO_ANSWER = 'NO_ANSWER'
/**
 * How long to wait for the answer to a statement, in ms: longer than any call of the API takes, and shorter than the
 * timeouts of clients and proxies.
 */
export const ANSWER_TIMEOUT_MS = 10_000
/** The share of that time in which a call may be executed. The rest is for its commit and the way of its answer. */
export const EXECUTION_SHARE = 0.8
/** In ms: a statement that hangs is ended, with its locks, before its call is answered with an error. */
export const EXECUTION_TIMEOUT_MS = ANSWER_TIMEOUT_MS * EXECUTION_SHARE

/**
 * Settles as `answer`, the answer to a statement, but rejects with a DatabaseError (code NO_ANSWER) after `timeoutMs`.
 * It is needed when the network drops packets silently: then neither an error nor the server's own time limit ever
 * arrives. The statement may have taken effect nevertheless.
 */
export function answerWithin<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  return withDeadline(answer, timeoutMs, () => new DatabaseError(`no answer in ${timeoutMs} ms`, NO_ANSWER, undefined))
}

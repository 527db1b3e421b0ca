import { ANSWER_TIMEOUT_MS, answerWithin } from '../../database/answer-deadline.ts'

/**
 * Settles as `answer`, the answer of a statement, or rejects with a DatabaseError if there is no answer after ten
 * seconds.
 */
export function inTime<T>(answer: Promise<T>): Promise<T> {
  return answerWithin(answer, ANSWER_TIMEOUT_MS)
}

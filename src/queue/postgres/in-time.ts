import { ANSWER_TIMEOUT_MS, answerWithin } from '../../database/answer-deadline.ts'

/** Resolves or rejects as the answer of a statement does, but rejects with a DatabaseError after ten seconds. */
export function inTime<T>(answer: Promise<T>): Promise<T> {
  return answerWithin(answer, ANSWER_TIMEOUT_MS)
}

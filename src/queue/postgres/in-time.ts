import { answerWithin } from '../../database/answer-deadline.ts'

/** In ms. On a connection that drops packets silently, a statement would otherwise never end. */
const ANSWER_TIMEOUT_MS = 10_000

/** Resolves or rejects as the answer of a statement does, but rejects with a DatabaseError after ten seconds. */
export function inTime<T>(answer: Promise<T>): Promise<T> {
  return answerWithin(answer, ANSWER_TIMEOUT_MS)
}

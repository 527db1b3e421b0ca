import { answerWithin } from '../../database/answer-deadline.ts'

/** A connection that swallows what is sent to it would otherwise hold a worker for good. */
const ANSWER_TIMEOUT_MS = 10_000

/** Resolves or rejects as the answer of a statement does; rejects with a DatabaseError when there is none in time. */
export function inTime<T>(answer: Promise<T>): Promise<T> {
  return answerWithin(answer, ANSWER_TIMEOUT_MS)
}

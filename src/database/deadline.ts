import { DatabaseError } from './database-error.ts'

/** The `code` of the DatabaseError for a statement without an answer in time. */
export const NO_ANSWER = 'NO_ANSWER'

/**
 * Resolves or rejects as `answer` does, but rejects after `timeoutMs` at the latest: over a connection that swallows what
 * is sent, neither the server's time limit nor an error ever arrives. What was asked for may have happened all the same.
 */
export async function withDeadline<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    // Made only then: its stack costs 25 µs, a third of what a statement does.
    const end = () => reject(new DatabaseError(`no answer in ${timeoutMs} ms`, NO_ANSWER, undefined))
    timer = setTimeout(end, timeoutMs)
  })
  try {
    return await Promise.race([answer, deadline])
  } finally {
    clearTimeout(timer)
  }
}

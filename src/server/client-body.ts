import { BodyTooLargeError, readBody } from '../upstream/request-body.ts'
import { answerBusy, answerTooLarge } from './answer.ts'
import { BodiesFullError, type BodyBudget } from './body-budget.ts'
import type { ApiExchange } from './receive-body.ts'

/** The most bytes of a client's call: more than a WebSocket message may have, and decoded within milliseconds. */
const MAX_CALL_BYTES = 256 * 1024

/**
 * Reads the body of a client's call, and answers with `answer`. Answers 413 to a larger body, and 503 while the server
 * has too many. Never rejects; if `answer` fails, the connection is closed.
 */
export async function withClientBody(
  bodies: BodyBudget,
  { incoming, outgoing }: ApiExchange,
  answer: (body: Buffer) => Promise<void>,
): Promise<void> {
  const share = bodies.open()
  try {
    await answer(await readBody(incoming, MAX_CALL_BYTES, share.add))
  } catch (error) {
    if (outgoing.headersSent) outgoing.destroy()
    else if (error instanceof BodyTooLargeError) answerTooLarge(outgoing)
    else if (error instanceof BodiesFullError) answerBusy(outgoing)
    else outgoing.destroy()
  } finally {
    share.release()
  }
}

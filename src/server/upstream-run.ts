import type { Logger } from '../observability/log.ts'
import type { ApiErrorName } from '../protocol/errors.ts'
import { type Upstream, UpstreamError } from '../upstream/upstream.ts'

/** Neighbouring commands of a mixed request that the node answers, and how to ask it and read what it says. */
export interface UpstreamRun {
  path: string
  body: Buffer
  /** One for each command, or undefined when the answer is no such list. */
  parseReplies(answer: Buffer): Buffer[] | undefined
  /** The replies when the node can't be asked: one for each command. */
  encodeErrors(kind: ApiErrorName): Buffer[]
}

/** The replies to a run, byte for byte as the node gave them; error 100 for each command when it did not. */
export async function askUpstream(upstream: Upstream, run: UpstreamRun, logger: Logger): Promise<Buffer[]> {
  try {
    const replies = run.parseReplies(await upstream.call(run.path, run.body))
    if (replies) return replies
    logger.warn({ path: run.path }, 'upstream: the answer does not fit the commands')
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error
    logger.warn({ err: error, path: run.path }, 'upstream: no answer')
  }
  return run.encodeErrors('internal')
}

import type { Logger } from '../observability/log.ts'
import type { ApiErrorName } from '../protocol/errors.ts'
import type { NodeApi } from '../upstream/node-api.ts'
import { UpstreamError } from '../upstream/upstream-error.ts'

/** Consecutive upstream commands of a mixed request, sent to the node as one request. */
export interface UpstreamGroup {
  path: string
  body: Buffer
  /** Splits the node's answer into one reply per command. Undefined when it is not valid. */
  parseReplies(answer: Buffer): Buffer[] | undefined
  /** One error reply per command, for when the node did not answer. */
  encodeErrors(kind: ApiErrorName): Buffer[]
}

/** The node's replies to the commands, byte for byte. Error 100 for each command when the node did not answer. */
export async function askUpstream(upstream: NodeApi, group: UpstreamGroup, logger: Logger): Promise<Buffer[]> {
  try {
    const replies = group.parseReplies(await upstream.call(group.path, group.body))
    if (replies) return replies
    logger.warn({ path: group.path }, 'upstream: answer does not match the commands')
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error
    logger.warn({ err: error, path: group.path }, 'upstream: no answer')
  }
  return group.encodeErrors('internal')
}

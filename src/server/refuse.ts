// Requests that are refused before they are routed: long heads, and requests that this process itself has sent.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { NodePaths } from '../upstream/node-paths.ts'
import { LOOP_CAUSE, type Via } from '../upstream/via.ts'
import { answerLast } from './answer.ts'
import { headBytes, type LargeHeads, MAX_HEAD_BYTES } from './large-heads.ts'
import { splitTarget, unescapePath } from './request-path.ts'

/** Short, because streams with long URLs come and go. */
const RETRY_AFTER_SECONDS = '1'

interface Deps {
  /** Undefined without a node. */
  via: Via | undefined
  /** The large heads of SSE, which are refused without it. */
  largeHeads: { heads: LargeHeads; paths: NodePaths } | undefined
}

/** Makes a function that answers a request that must be refused, and returns whether it did. */
export function makeRefuse({ via, largeHeads }: Deps) {
  return (incoming: IncomingMessage, outgoing: ServerResponse): boolean => {
    const bytes = headBytes(incoming)
    if (bytes > MAX_HEAD_BYTES && !(largeHeads && isSse(incoming, largeHeads.paths))) {
      answerLast(outgoing, 431, '431 Request Header Fields Too Large')
    } else if (via?.isLoop(incoming.headers)) {
      answerLast(outgoing, 508, LOOP_CAUSE)
    } else if (bytes > MAX_HEAD_BYTES && !largeHeads?.heads.admit(bytes, outgoing)) {
      answerLast(outgoing, 503, 'Service Unavailable', { 'retry-after': RETRY_AFTER_SECONDS })
    } else return false
    return true
  }
}

function isSse({ method, url }: IncomingMessage, paths: NodePaths): boolean {
  return method === 'GET' && paths.isSse(unescapePath(splitTarget(url).path))
}

// Requests that are refused before they are routed: long heads, and requests that this process itself has sent.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { NodePaths } from '../upstream/node-paths.ts'
import { LOOP_CAUSE, type Via } from '../upstream/via.ts'
import { answerText } from './answer.ts'
import { headBytes, type LargeHeads, MAX_HEAD_BYTES } from './large-heads.ts'
import { splitTarget, unescapePath } from './request-path.ts'

/** Short, because streams with long URLs come and go. */
const RETRY_AFTER_SECONDS = 1

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
    if (bytes > MAX_HEAD_BYTES) {
      if (!largeHeads || !isSse(incoming, largeHeads.paths)) {
        return refuseLast(outgoing, 431, '431 Request Header Fields Too Large')
      }
      if (!largeHeads.heads.admit(bytes, outgoing)) {
        outgoing.setHeader('retry-after', RETRY_AFTER_SECONDS)
        return refuseLast(outgoing, 503, 'too many long URLs at once')
      }
    }
    if (!via?.isLoop(incoming.headers)) return false
    return refuseLast(outgoing, 508, LOOP_CAUSE)
  }
}

/** Ends the connection too: the rest of the request is not read. */
function refuseLast(outgoing: ServerResponse, status: number, text: string): true {
  outgoing.setHeader('connection', 'close')
  answerText(outgoing, status, text)
  return true
}

function isSse({ method, url }: IncomingMessage, paths: NodePaths): boolean {
  return method === 'GET' && paths.isSse(unescapePath(splitTarget(url).path))
}

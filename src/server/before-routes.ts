// Requests that never reach the routes: those with long heads, and those that this process itself has sent.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ClientProxy } from '../upstream/client-proxy.ts'
import { LOOP_CAUSE, type Via } from '../upstream/via.ts'
import { answerLast } from './answer.ts'
import { headBytes, type LargeHeads, MAX_HEAD_BYTES } from './large-heads.ts'
import { splitTarget, unescapePath } from './request-path.ts'

/** Short, because streams with long URLs come and go. */
const RETRY_AFTER_SECONDS = '1'

interface Deps {
  /** Undefined without a node. */
  via: Via | undefined
  /** The clients of SSE may have large heads. Undefined when they are not served. */
  sse: { heads: LargeHeads; clients: Pick<ClientProxy, 'paths' | 'pass'> } | undefined
}

/** Makes a function that handles a request before the routes do, and returns whether it did. */
export function makeBeforeRoutes({ via, sse }: Deps) {
  return (incoming: IncomingMessage, outgoing: ServerResponse): boolean => {
    const bytes = headBytes(incoming)
    if (bytes > MAX_HEAD_BYTES && !(sse && isSse(incoming, sse.clients))) {
      answerLast(outgoing, 431, '431 Request Header Fields Too Large')
    } else if (via?.isLoop(incoming.headers)) {
      answerLast(outgoing, 508, LOOP_CAUSE)
    } else if (bytes <= MAX_HEAD_BYTES) {
      return false
    } else if (!sse?.heads.admit(bytes, outgoing)) {
      answerLast(outgoing, 503, 'Service Unavailable', { 'retry-after': RETRY_AFTER_SECONDS })
    } else {
      // The router would keep a copy of the URL as long as the stream lasts.
      sse.clients.pass(incoming, outgoing)
    }
    return true
  }
}

function isSse({ method, url }: IncomingMessage, { paths }: Pick<ClientProxy, 'paths'>): boolean {
  return method === 'GET' && paths.isSse(unescapePath(splitTarget(url).path))
}

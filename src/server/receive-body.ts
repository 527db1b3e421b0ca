import type { IncomingMessage, ServerResponse } from 'node:http'
import { BodyTooLargeError, contentLength, readBody } from '../upstream/request-body.ts'
import type { ApiDeps } from './api-deps.ts'
import { LARGE_BODY_BYTES } from './body-budget.ts'

/** A request of the API, and the place for its answer. */
export interface ApiExchange {
  incoming: IncomingMessage
  outgoing: ServerResponse
}

/** Answers a request with the given body. */
export type HandleBody = (exchange: ApiExchange, body: Buffer) => Promise<void>

/**
 * Reads the body of a request and answers it with `handle`. A large body goes to the process for large requests
 * instead: it is not decoded here, and with a Content-Length it is not held either. The bytes count until the request
 * is answered and `handle` has ended, also when the client has gone.
 * @param path of the route, with the default prefix
 * @param method of the route, whose calls are limited
 * @throws BodyTooLargeError, BodiesFullError, OverloadError
 */
export async function receiveBody(
  { large, bodies, maxRequestBytes, overload, inTurn }: ApiDeps,
  exchange: ApiExchange,
  path: string,
  handle: HandleBody,
  method?: string,
): Promise<void> {
  const { incoming, outgoing } = exchange
  const share = bodies.open()
  const isLarge = (length: number) => large !== undefined && length > LARGE_BODY_BYTES
  try {
    const length = contentLength(incoming) ?? 0
    if (large && isLarge(length)) {
      if (length > maxRequestBytes) throw new BodyTooLargeError()
      share.add(length)
      await large.pass(incoming, outgoing, path)
      return
    }
    if (method !== undefined) overload?.check(method)
    const body = await readBody(incoming, maxRequestBytes, share.add)
    if (large && isLarge(body.length)) await large.pass(incoming, outgoing, path, body)
    else await inTurn(() => handle(exchange, body))
  } finally {
    if (outgoing.closed || outgoing.destroyed) share.release()
    else outgoing.once('close', () => share.release())
  }
}

import type { IncomingMessage } from 'node:http'
import { BodyTooLargeError } from './relay.ts'

/** The length that a request announces; undefined when it doesn't. */
export function announcedLength(incoming: IncomingMessage): number | undefined {
  const length = incoming.headers['content-length']
  return length === undefined ? undefined : Number(length)
}

/** A request's body piece by piece, up to `maxBytes`. @throws BodyTooLargeError beyond, having read no further */
export async function* readLimited(incoming: IncomingMessage, maxBytes: number): AsyncGenerator<Buffer> {
  let size = 0
  // A stream without an encoding gives buffers.
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw new BodyTooLargeError('the request is larger than http_api.max_request_body_size')
    yield chunk
  }
}

/** A request's whole body. @throws BodyTooLargeError above `maxBytes` */
export async function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if ((announcedLength(incoming) ?? 0) > maxBytes) {
    throw new BodyTooLargeError('the request is larger than http_api.max_request_body_size')
  }
  const chunks: Buffer[] = []
  for await (const chunk of readLimited(incoming, maxBytes)) chunks.push(chunk)
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
}

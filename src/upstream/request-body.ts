import type { IncomingMessage } from 'node:http'
import { type Readable, Transform, type TransformCallback } from 'node:stream'

/** A request body exceeds the limit. The client gets 413. */
export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError'

  constructor() {
    super('request body larger than http_api.max_request_body_size')
  }
}

/** The value of Content-Length; undefined without one. */
export function contentLength(incoming: IncomingMessage): number | undefined {
  const length = incoming.headers['content-length']
  return length === undefined ? undefined : Number(length)
}

/**
 * A request body as a stream. It fails with BodyTooLargeError beyond `maxBytes` and reads no further. The connection of
 * the client stays open when the stream ends or fails, so that the client can be answered. `onProgress` is called for
 * each chunk.
 */
export function limitBody(incoming: IncomingMessage, maxBytes: number, onProgress: () => void): Readable {
  let size = 0
  const limited = new Transform({
    transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback) {
      size += chunk.length
      onProgress()
      if (size > maxBytes) done(new BodyTooLargeError())
      else done(null, chunk)
    },
  })
  incoming.once('error', (error) => limited.destroy(error))
  return incoming.pipe(limited)
}

/** Reads a whole request body. @throws BodyTooLargeError beyond `maxBytes`, without reading further */
export function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if ((contentLength(incoming) ?? 0) > maxBytes) {
      reject(new BodyTooLargeError())
      return
    }
    const chunks: Buffer[] = []
    let size = 0
    // Not `for await`: leaving such a loop early destroys the stream, and with it the connection of the answer.
    const onData = (chunk: Buffer) => {
      size += chunk.length
      if (size <= maxBytes) {
        chunks.push(chunk)
        return
      }
      incoming.off('data', onData).pause()
      reject(new BodyTooLargeError())
    }
    incoming.on('data', onData)
    incoming.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    incoming.once('error', reject)
  })
}

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

/** Node reads from a socket in chunks of this size. */
const ONE_CHUNK_BYTES = 64 * 1024

/**
 * Reads a whole request body.
 * @param onBytes called with the length before the body is read, or without a length with the size of each chunk. If it
 *   throws, the body is read no further, and its error is the result
 * @throws BodyTooLargeError beyond `maxBytes`, without reading further
 */
export function readBody(
  incoming: IncomingMessage,
  maxBytes: number,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const length = contentLength(incoming)
    if ((length ?? 0) > maxBytes) throw new BodyTooLargeError()
    if (length !== undefined) onBytes(length)
    // Joined chunks would be in memory twice.
    const whole = length !== undefined && length > ONE_CHUNK_BYTES ? Buffer.allocUnsafe(length) : undefined
    const chunks: Buffer[] = []
    let size = 0
    // Not `for await`: leaving such a loop early destroys the stream, and with it the connection of the answer.
    const onData = (chunk: Buffer) => {
      try {
        size += chunk.length
        if (size > maxBytes) throw new BodyTooLargeError()
        if (length === undefined) onBytes(chunk.length)
        if (whole) chunk.copy(whole, size - chunk.length)
        else chunks.push(chunk)
      } catch (error) {
        incoming.off('data', onData).pause()
        chunks.length = 0
        reject(error)
      }
    }
    incoming.on('data', onData)
    incoming.once('end', () => resolve(whole ?? joinChunks(chunks)))
    incoming.once('error', reject)
  })
}

function joinChunks(chunks: readonly Buffer[]): Buffer {
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
}

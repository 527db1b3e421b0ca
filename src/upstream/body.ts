import type { IncomingMessage } from 'node:http'
import { type Readable, Transform, type TransformCallback } from 'node:stream'
import { BodyTooLargeError } from './relay.ts'

/** The length that a request announces; undefined when it doesn't. */
export function announcedLength(incoming: IncomingMessage): number | undefined {
  const length = incoming.headers['content-length']
  return length === undefined ? undefined : Number(length)
}

/**
 * A request's body as a stream. It fails with BodyTooLargeError beyond `maxBytes`, and nothing more is read; the
 * client's connection outlives that, and whatever else ends the stream, so that the client can be answered.
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

/** A request's whole body. @throws BodyTooLargeError above `maxBytes`, having read no further */
export function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if ((announcedLength(incoming) ?? 0) > maxBytes) {
      reject(new BodyTooLargeError())
      return
    }
    const chunks: Buffer[] = []
    let size = 0
    // Not `for await`: leaving such a loop early destroys the stream and with it the connection of the answer.
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

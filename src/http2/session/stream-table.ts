import { Http2Stream } from './http2-stream.ts'
import type { RequestSource } from './request-source.ts'

/** The open streams of a connection, by id and in a list from the oldest to the newest. Reuses stream objects. */
export class StreamTable {
  readonly #byId = new Map<number, Http2Stream>()
  readonly #free: Http2Stream[] = []
  #oldest: Http2Stream | undefined
  #newest: Http2Stream | undefined

  /** Number of open streams. */
  get size(): number {
    return this.#byId.size
  }

  /** The open stream with the earliest deadline. */
  get oldest(): Http2Stream | undefined {
    return this.#oldest
  }

  /** The open stream with this id. */
  get(id: number): Http2Stream | undefined {
    return this.#byId.get(id)
  }

  /** Adds a stream. Ids and deadlines must not decrease from call to call. */
  open(id: number, source: RequestSource, index: number, deadlineMs: number): Http2Stream {
    const stream = this.#free.pop() ?? new Http2Stream()
    stream.assign(id, source, index, deadlineMs)
    stream.older = this.#newest
    if (this.#newest) this.#newest.newer = stream
    else this.#oldest = stream
    this.#newest = stream
    this.#byId.set(id, stream)
    return stream
  }

  /** Removes a closed stream. The object may be read until `recycle`. */
  remove(stream: Http2Stream): void {
    this.#byId.delete(stream.id)
    if (stream.older) stream.older.newer = stream.newer
    else this.#oldest = stream.newer
    if (stream.newer) stream.newer.older = stream.older
    else this.#newest = stream.older
    stream.older = undefined
    stream.newer = undefined
  }

  /** Makes the object of a removed stream available to `open`. */
  recycle(stream: Http2Stream): void {
    stream.clear()
    this.#free.push(stream)
  }

  /** A copy of the open streams, so that the caller may remove streams while it iterates. */
  list(): Http2Stream[] {
    return [...this.#byId.values()]
  }
}

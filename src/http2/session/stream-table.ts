import { Http2Stream } from './http2-stream.ts'
import type { RequestRun } from './request-source.ts'

/** The open streams of a connection: by id, and from the oldest to the newest. */
export class StreamTable {
  readonly #byId = new Map<number, Http2Stream>()
  readonly #spare: Http2Stream[] = []
  #oldest: Http2Stream | undefined
  #newest: Http2Stream | undefined

  get size(): number {
    return this.#byId.size
  }

  /** The one whose deadline comes first. */
  get oldest(): Http2Stream | undefined {
    return this.#oldest
  }

  get(id: number): Http2Stream | undefined {
    return this.#byId.get(id)
  }

  /** Ids and deadlines have to grow. */
  open(id: number, run: RequestRun, index: number, deadlineMs: number): Http2Stream {
    const stream = this.#spare.pop() ?? new Http2Stream()
    stream.reset(id, run, index, deadlineMs)
    stream.older = this.#newest
    if (this.#newest) this.#newest.newer = stream
    else this.#oldest = stream
    this.#newest = stream
    this.#byId.set(id, stream)
    return stream
  }

  /** The stream is closed: its id is forgotten. Read it until `recycle`. */
  remove(stream: Http2Stream): void {
    this.#byId.delete(stream.id)
    if (stream.older) stream.older.newer = stream.newer
    else this.#oldest = stream.newer
    if (stream.newer) stream.newer.older = stream.older
    else this.#newest = stream.older
    stream.older = undefined
    stream.newer = undefined
  }

  /** Lets a removed stream be used again. */
  recycle(stream: Http2Stream): void {
    stream.release()
    this.#spare.push(stream)
  }

  /** Those that are open at the time of the call: they may be removed while the list is walked. */
  list(): Http2Stream[] {
    return [...this.#byId.values()]
  }
}

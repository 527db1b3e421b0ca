/** Larger bodies are decoded in a process of their own; decoding this many bytes takes at most 20 ms. */
export const LARGE_BODY_BYTES = 256 * 1024

/** The part of the budget that only smaller bodies use, so that large ones don't keep ordinary calls out. */
const SMALL_SHARE = 1 / 4

/** Too many bytes of request bodies are in flight. The client gets 503 and may repeat the request. */
export class BodiesFullError extends Error {
  override readonly name = 'BodiesFullError'

  constructor() {
    super('the sum of request bodies exceeds http_api.max_request_bodies_size')
  }
}

type Size = 'small' | 'large'

/** Limits the bytes of all request bodies that a process holds at once. */
export class BodyBudget {
  readonly #maxBytes: Readonly<Record<Size, number>>
  readonly #bytes: Record<Size, number> = { small: 0, large: 0 }

  /** @param maxBytes the limit of the sum */
  constructor(maxBytes: number) {
    this.#maxBytes = { small: maxBytes * SMALL_SHARE, large: maxBytes * (1 - SMALL_SHARE) }
  }

  /** Begins to count the body of one request. */
  open(): BodyShare {
    return new BodyShare((bytes, before) => this.#replace(bytes, before))
  }

  /** @throws BodiesFullError; then nothing has changed */
  #replace(bytes: number, before: number): void {
    const [size, sizeBefore] = [sizeOf(bytes), sizeOf(before)]
    const others = this.#bytes[size] - (size === sizeBefore ? before : 0)
    // A single body is accepted even if the limit of the sum is below that of a body.
    if (bytes > before && others > 0 && others + bytes > this.#maxBytes[size]) throw new BodiesFullError()
    this.#bytes[sizeBefore] -= before
    this.#bytes[size] += bytes
  }
}

function sizeOf(bytes: number): Size {
  return bytes > LARGE_BODY_BYTES ? 'large' : 'small'
}

/** The bytes of one request's body. */
export class BodyShare {
  readonly #replace: (bytes: number, before: number) => void
  #bytes = 0

  /** @param replace changes the number of bytes that the budget counts for this body */
  constructor(replace: (bytes: number, before: number) => void) {
    this.#replace = replace
  }

  /** Counts bytes, before they are read. @throws BodiesFullError; then they are not counted */
  readonly add = (bytes: number): void => {
    const sum = this.#bytes + bytes
    this.#replace(sum, this.#bytes)
    this.#bytes = sum
  }

  /** Ends the count. */
  release(): void {
    this.#replace(0, this.#bytes)
    this.#bytes = 0
  }
}

// Keeps fewer requests in flight to a service that says it is busy: half as many, and then one more for each round of
// good answers, as TCP does (RFC 5681). Who waits for room has its requests opened as soon as there is some.
import { setMaxListeners } from 'node:events'
import type { Http2Batch, Http2Client, Http2Request, Http2Response } from '../http2/http2-client.ts'

export interface PacedClientDeps {
  client: Http2Client
  /** Requests in flight while all goes well. */
  maxInFlight: number
  /** Whether an answer of this status asks us to slow down. */
  isBusy(status: number): boolean
}

export class PacedClient implements Http2Client {
  readonly #deps: PacedClientDeps
  /** Grows by fractions; its whole part counts. */
  #limit: number
  #inFlight = 0
  /** Requests that were opened before the last slowing down: what they say is known. */
  #stale = 0
  #waiting: (() => void)[] = []
  #isClosed = false

  constructor(deps: PacedClientDeps) {
    this.#deps = deps
    this.#limit = deps.maxInFlight
  }

  /** Requests that may be in flight by now. */
  get limit(): number {
    return Math.floor(this.#limit)
  }

  async send(batch: Http2Batch): Promise<void> {
    const parts: Promise<void>[] = []
    for (let next = 0; next < batch.count; ) {
      const count = await this.#takeRoom(batch.count - next, batch.signal)
      parts.push(this.#sendPart(batch, next, count))
      next += count
    }
    await Promise.all(parts)
  }

  request(request: Http2Request): Promise<Http2Response> {
    return this.#deps.client.request(request)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#wakeAll()
    await this.#deps.client.close()
  }

  /** How many of the requests may be opened. All of them after an abort or a close: the client settles them then. */
  async #takeRoom(wanted: number, signal: AbortSignal): Promise<number> {
    while (this.#inFlight >= this.limit && !this.#isClosed && !signal.aborted) await this.#waitForRoom(signal)
    const isOver = this.#isClosed || signal.aborted
    const taken = isOver ? wanted : Math.min(wanted, this.limit - this.#inFlight)
    this.#inFlight += taken
    return taken
  }

  async #waitForRoom(signal: AbortSignal): Promise<void> {
    // One signal may stop thousands of requests: Node would warn of a leak at the eleventh.
    setMaxListeners(0, signal)
    await new Promise<void>((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake)
        resolve()
      }
      signal.addEventListener('abort', wake)
      this.#waiting.push(wake)
    })
  }

  #sendPart(batch: Http2Batch, from: number, count: number): Promise<void> {
    const { path, writeFields, writeBody, isWithdrawn } = batch
    return this.#deps.client.send({
      ...batch,
      count,
      path: typeof path === 'function' ? (place) => path(from + place) : path,
      ...(writeFields && { writeFields: (place, fields) => writeFields(from + place, fields) }),
      ...(writeBody && { writeBody: (place, body) => writeBody(from + place, body) }),
      ...(isWithdrawn && { isWithdrawn: (place) => isWithdrawn(from + place) }),
      onAnswer: (place, answer) => {
        this.#onSettled(answer.status)
        batch.onAnswer(from + place, answer)
      },
      onFailure: (place, error) => {
        this.#onSettled(undefined)
        batch.onFailure(from + place, error)
      },
    })
  }

  #onSettled(status: number | undefined): void {
    this.#inFlight--
    if (status !== undefined) this.#adapt(this.#deps.isBusy(status))
    if (this.#stale > 0) this.#stale--
    if (this.#inFlight < this.limit) this.#wakeAll()
  }

  #adapt(isBusy: boolean): void {
    if (!isBusy) {
      this.#limit = Math.min(this.#deps.maxInFlight, this.#limit + 1 / this.#limit)
    } else if (this.#stale === 0) {
      this.#limit = Math.max(1, this.#limit / 2)
      // One above, for the request that this is the answer to.
      this.#stale = this.#inFlight + 1
    }
  }

  #wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

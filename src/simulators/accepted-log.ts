import { closeSync, openSync, writeSync } from 'node:fs'

/** A push that a simulator accepted: a real device would have got it. Each simulator adds its own fields. */
export interface AcceptedPush {
  /** When the push was accepted, as Unix time in ms. */
  at_ms: number
  /** The token, topic, condition or subscription that the push is for. */
  target: string
  /** The content of the push: the body of the request, byte for byte, unless the simulator documents another form. */
  body: string
}

/**
 * The log of accepted pushes: a file with one JSON object per line. A push is written before its request is answered,
 * so every answered push is in the file, even if the simulator was killed.
 */
export class AcceptedLog<Push extends AcceptedPush> {
  readonly #fd: number
  readonly #accepted: Push[] = []
  #waiters: { count: number; resolve: () => void }[] = []

  constructor(deps: { file: string }) {
    this.#fd = openSync(deps.file, 'a')
  }

  /** All pushes that were accepted since the start, in order. */
  get accepted(): readonly Push[] {
    return this.#accepted
  }

  /** Writes an accepted push to the file. */
  append(push: Push): void {
    writeSync(this.#fd, `${JSON.stringify(push)}\n`)
    this.#accepted.push(push)
    const reached = this.#waiters.filter((waiter) => waiter.count <= this.#accepted.length)
    if (reached.length === 0) return
    this.#waiters = this.#waiters.filter((waiter) => !reached.includes(waiter))
    for (const waiter of reached) waiter.resolve()
  }

  /** Resolves as soon as `count` pushes were accepted since the start. */
  waitFor(count: number): Promise<void> {
    if (this.#accepted.length >= count) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiters.push({ count, resolve })
    })
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.#fd)
  }
}

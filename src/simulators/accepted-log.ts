import { closeSync, openSync, writeSync } from 'node:fs'

/** A push that a simulator accepted: a device would have got it. Each simulator adds fields of its own. */
export interface AcceptedPush {
  /** Unix time in ms. */
  at_ms: number
  /** The token, topic, condition or subscription. */
  target: string
  /** The content of the push: the body of the request, byte for byte, unless the simulator documents another form. */
  body: string
}

/**
 * The record of delivered pushes: a file with one JSON object per line. A push is written before its request is
 * answered. So every answered push is in the file, also after the simulator was killed.
 */
export class AcceptedLog<Push extends AcceptedPush> {
  readonly #fd: number
  readonly #accepted: Push[] = []
  #waiters: { count: number; resolve: () => void }[] = []

  constructor(deps: { file: string }) {
    this.#fd = openSync(deps.file, 'a')
  }

  /** All pushes since the start, in order. */
  get accepted(): readonly Push[] {
    return this.#accepted
  }

  /** Writes a push to the file. */
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

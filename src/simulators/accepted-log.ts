import { closeSync, openSync, writeSync } from 'node:fs'

/** A push that a simulator took: a phone would have got it. Simulators add what else is to be known of theirs. */
export interface AcceptedPush {
  /** Unix time in ms. */
  at_ms: number
  /** The token, topic, condition or subscription. */
  target: string
  /** What was to be delivered: the request's body, byte for byte, unless the simulator says otherwise. */
  body: string
}

/**
 * The truth about what was delivered: one JSON object a line. A push is in the file before it is answered, so that
 * whoever got an answer finds it there, and a killed simulator has forgotten nothing.
 */
export class AcceptedLog<Push extends AcceptedPush> {
  readonly #fd: number
  readonly #accepted: Push[] = []
  #waiters: { count: number; resolve: () => void }[] = []

  constructor(deps: { file: string }) {
    this.#fd = openSync(deps.file, 'a')
  }

  get accepted(): readonly Push[] {
    return this.#accepted
  }

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

  close(): void {
    closeSync(this.#fd)
  }
}

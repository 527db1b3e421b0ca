import { closeSync, openSync, writeSync } from 'node:fs'
import type { TargetKind } from './message-check.ts'

/** A push that the simulator took: a phone would have got it. */
export interface AcceptedPush {
  /** Unix time in ms. */
  at_ms: number
  project: string
  target_kind: TargetKind
  target: string
  /** The request's body, byte for byte. */
  body: string
}

/**
 * The truth about what was delivered: one JSON object a line. A push is in the file before it is answered, so that
 * whoever got an answer finds it there, and a killed simulator has forgotten nothing.
 */
export class AcceptedLog {
  readonly #fd: number
  readonly #accepted: AcceptedPush[] = []
  #waiters: { count: number; resolve: () => void }[] = []

  constructor(deps: { file: string }) {
    this.#fd = openSync(deps.file, 'a')
  }

  get accepted(): readonly AcceptedPush[] {
    return this.#accepted
  }

  append(push: AcceptedPush): void {
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

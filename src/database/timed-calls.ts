// Calls with an answer in time. The client of a call that is answered with an error repeats it, so such a call must not
// be executed later: neither after it has waited for a connection, nor after its statement has waited for a lock, nor
// from the buffer of a socket or a network. So a call that is late is dropped here before it uses a connection, and the
// database refuses each late write by its own clock (CallDeadline).
//
// If a statement is executed in time and its answer is lost, its effect remains.
import * as v from 'valibot'
import { StoreClock } from '../timing/store-clock.ts'
import { ANSWER_TIMEOUT_MS, answerWithin, EXECUTION_SHARE } from './answer-deadline.ts'
import { CallDeadline, isRefusal, makeLateError } from './call-deadline.ts'
import type { Sql } from './pool.ts'

const Clock = v.object({ ms: v.number() })

interface Waiting {
  deadline: CallDeadline
  start(): void
  drop(error: Error): void
}

/** Runs the calls of the API on a pool, as many at once as it has connections. */
export class TimedCalls {
  readonly #answerTimeoutMs: number
  readonly #clock: StoreClock
  /** Without this count the library would send statements on connections in use, where they can't be dropped. */
  #free: number
  readonly #waiting: Waiting[] = []

  constructor({ sql, answerTimeoutMs = ANSWER_TIMEOUT_MS }: { sql: Sql; answerTimeoutMs?: number }) {
    this.#answerTimeoutMs = answerTimeoutMs
    this.#free = sql.options.max
    this.#clock = new StoreClock({
      read: async () => {
        const [row] = await sql`select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`
        return v.parse(Clock, row).ms
      },
    })
  }

  /**
   * Runs a call, and rejects after `answerTimeoutMs` at the latest. `work` passes the deadline to its writes: none of
   * them is executed after the call was rejected.
   */
  async run<T>(work: (deadline: CallDeadline) => Promise<T>): Promise<T> {
    const deadline = this.startCall()
    const answer = this.runInTurn(deadline, () => work(deadline))
    return await this.answerInTime(answer)
  }

  /** The deadline of a call that starts now, for calls that share a statement. */
  startCall(): CallDeadline {
    return new CallDeadline(this.#clock, performance.now() + this.#answerTimeoutMs * EXECUTION_SHARE)
  }

  /** Resolves or rejects as `answer` does, but rejects when the time of a call that started now has passed. */
  answerInTime<T>(answer: Promise<T>): Promise<T> {
    return answerWithin(answer, this.#answerTimeoutMs)
  }

  /** Runs `work` as soon as a connection is free, or drops it at its deadline. It must not wait for another call. */
  async runInTurn<T>(deadline: CallDeadline, work: () => Promise<T>): Promise<T> {
    await this.#takeConnection(deadline)
    try {
      deadline.check()
      return await work()
    } catch (error) {
      if (isRefusal(error)) this.#clock.forget()
      throw error
    } finally {
      this.#returnConnection()
    }
  }

  async #takeConnection(deadline: CallDeadline): Promise<void> {
    if (this.#free > 0) this.#free--
    else {
      this.#dropLate()
      await new Promise<void>((start, drop) => this.#waiting.push({ deadline, start, drop }))
    }
  }

  #returnConnection(): void {
    this.#dropLate()
    const next = this.#waiting.shift()
    if (next) next.start()
    else this.#free++
  }

  #dropLate(): void {
    while (this.#waiting[0]?.deadline.isPast) this.#waiting.shift()?.drop(makeLateError())
  }
}

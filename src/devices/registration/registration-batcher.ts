// Registrations that arrive at about the same time share a transaction. A writer runs all waiting calls as one batch,
// then the calls that arrived during that batch. So a single client gets a batch for each call, without a delay, and
// under load batches grow.
//
// A call never fails because of other calls in its batch: after an error, or if a lock is not free in time, each call
// of the batch runs again in its own transaction, and the writer continues with the next batch. A batch is not stored
// after the deadline of any of its calls.
import { type CallDeadline, makeLateError } from '../../database/call-deadline.ts'
import type { Sql } from '../../database/pool.ts'
import type { TimedCalls } from '../../database/timed-calls.ts'
import { ApiError } from '../../protocol/errors.ts'
import { type Decision, type RegisterCall, WRONG_PROVIDER } from './plan-batch.ts'
import { registerDevices } from './register-devices.ts'

/** The number of batches in progress: while PostgreSQL writes the commit of one, it works on the other. */
const MAX_WRITERS = 2
/**
 * The most calls in a batch: enough to make each call's share of the commit small, few enough to take only
 * milliseconds.
 */
const MAX_BATCH = 32
/** How long a batch waits for a lock. A change of the topics of a user with very many devices holds one for seconds. */
const LOCK_TIMEOUT_MS = 100

interface Waiting {
  call: RegisterCall
  deadline: CallDeadline
  resolve(uuid: string): void
  reject(error: unknown): void
}

/** Combines concurrent registrations into transactions. */
export class RegistrationBatcher {
  readonly #sql: Sql
  readonly #calls: TimedCalls
  readonly #waiting: Waiting[] = []
  #writers = 0

  constructor(deps: { sql: Sql; calls: TimedCalls }) {
    this.#sql = deps.sql
    this.#calls = deps.calls
  }

  /** Stores one device and resolves to its uuid; see registerDevices(). Rejects when its time has passed. */
  register(call: RegisterCall): Promise<string> {
    this.#dropLate()
    const deadline = this.#calls.startCall()
    if (this.#writers < MAX_WRITERS) {
      this.#writers++
      // The writer starts in the next turn of the event loop, so that calls that were already read from other sockets
      // join its batch.
      setImmediate(() => void this.#runWriter())
    }
    const stored = new Promise<string>((resolve, reject) => this.#waiting.push({ call, deadline, resolve, reject }))
    return this.#calls.answerInTime(stored)
  }

  /** Runs batches until no call is waiting. Never rejects: an error rejects the promise of the call that caused it. */
  async #runWriter(): Promise<void> {
    for (let batch = this.#takeBatch(); batch.length > 0; batch = this.#takeBatch()) await this.#runBatch(batch)
    this.#writers--
  }

  #takeBatch(): Waiting[] {
    this.#dropLate()
    return this.#waiting.splice(0, MAX_BATCH)
  }

  /** The calls wait in the order of their deadlines. */
  #dropLate(): void {
    while (this.#waiting[0]?.deadline.isPast) this.#waiting.shift()?.reject(makeLateError())
  }

  async #runBatch(batch: readonly Waiting[]): Promise<void> {
    const decisions = await this.#tryBatch(batch)
    for (const [index, waiting] of batch.entries()) {
      const decision = decisions?.[index]
      // The writer does not wait for calls that run alone. Each of them settles its own promise.
      if (!decision || decision.kind === 'entangled') void this.#runAlone(waiting)
      else answer(waiting, decision)
    }
  }

  /** Runs the calls as one batch; undefined if it failed, and so nothing was stored. */
  async #tryBatch(batch: readonly Waiting[]): Promise<Decision[] | undefined> {
    const deadline = batch[0]?.deadline
    if (!deadline) return []
    try {
      return await this.#register(batch, deadline, LOCK_TIMEOUT_MS)
    } catch {
      // The error is not kept, because it does not say which call caused it: each call runs again alone, and gets its
      // own error.
      return undefined
    }
  }

  async #runAlone(waiting: Waiting): Promise<void> {
    try {
      const [decision] = await this.#register([waiting], waiting.deadline)
      if (decision) answer(waiting, decision)
    } catch (error) {
      waiting.reject(error)
    }
  }

  #register(batch: readonly Waiting[], deadline: CallDeadline, lockTimeoutMs = 0): Promise<Decision[]> {
    const calls = batch.map(({ call }) => call)
    return this.#calls.runInTurn(deadline, () => registerDevices(this.#sql, calls, { lockTimeoutMs, deadline }))
  }
}

function answer({ resolve, reject }: Waiting, decision: Decision): void {
  if (decision.kind === 'stored') resolve(decision.uuid)
  else if (decision.kind === 'wrongProvider') reject(new ApiError('badRequest', WRONG_PROVIDER))
  // A registration without times is never `kept`, and alone in its batch it is never `entangled`.
  else reject(new Error(`devices: unexpected decision about a registration: ${decision.kind}`))
}

// Registrations that arrive together share a transaction. A lane takes what waits, runs it, and takes what has come
// meanwhile: with one client a batch is one call and nothing waits, under load batches grow by themselves.
//
// A call never fails for its neighbours' sake: after an error, or when one of them has to wait for somebody's lock, each
// of the batch runs again by itself, and the lane goes on with others.
import type { Sql } from '../../database/pool.ts'
import { ApiError } from '../../protocol/errors.ts'
import { type Decision, type RegisterCall, WRONG_PROVIDER } from './plan-batch.ts'
import { registerDevices } from './register-devices.ts'

/** So that the server works on one batch while another one's commit is written. */
const LANES = 2
/** Enough to make a call's share of the commit small, few enough to be done within milliseconds. */
const MAX_BATCH = 32
/** A change of a user with very many devices holds its lock for seconds. */
const LOCK_TIMEOUT_MS = 100

interface Waiting {
  call: RegisterCall
  resolve(uuid: string): void
  reject(error: unknown): void
}

export class RegistrationBatcher {
  readonly #sql: Sql
  readonly #waiting: Waiting[] = []
  #lanes = 0

  constructor(deps: { sql: Sql }) {
    this.#sql = deps.sql
  }

  /** Stores one device and resolves to its uuid; see registerDevices(). */
  register(call: RegisterCall): Promise<string> {
    if (this.#lanes < LANES) {
      this.#lanes++
      // Not at once: what the event loop has read from other sockets by now can come along.
      setImmediate(() => void this.#runLane())
    }
    return new Promise((resolve, reject) => this.#waiting.push({ call, resolve, reject }))
  }

  /** Never rejects: what fails does so in the promise of its call. */
  async #runLane(): Promise<void> {
    while (this.#waiting.length > 0) await this.#runBatch(this.#waiting.splice(0, MAX_BATCH))
    this.#lanes--
  }

  async #runBatch(batch: readonly Waiting[]): Promise<void> {
    const decisions = await this.#tryBatch(batch)
    for (const [index, waiting] of batch.entries()) {
      const decision = decisions?.[index]
      // Not awaited, so that the lane goes on: it settles its call by itself.
      if (!decision || decision.kind === 'entangled') void this.#runAlone(waiting)
      else settle(waiting, decision)
    }
  }

  /** Undefined when nothing was stored. */
  async #tryBatch(batch: readonly Waiting[]): Promise<Decision[] | undefined> {
    try {
      return await registerDevices(
        this.#sql,
        batch.map(({ call }) => call),
        LOCK_TIMEOUT_MS,
      )
    } catch {
      // Whose fault it is shows when each runs by itself; there the error is kept.
      return undefined
    }
  }

  async #runAlone(waiting: Waiting): Promise<void> {
    try {
      const [decision] = await registerDevices(this.#sql, [waiting.call])
      if (decision) settle(waiting, decision)
    } catch (error) {
      waiting.reject(error)
    }
  }
}

function settle({ resolve, reject }: Waiting, decision: Decision): void {
  if (decision.kind === 'stored') resolve(decision.uuid)
  else if (decision.kind === 'wrongProvider') reject(new ApiError('badRequest', WRONG_PROVIDER))
  // A call of now is newer than any device, and by itself it has no neighbours.
  else reject(new Error(`a registration came out as ${decision.kind}`))
}

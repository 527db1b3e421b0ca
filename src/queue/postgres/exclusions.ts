import { type CallDeadline, makeLateError } from '../../database/call-deadline.ts'
import type { Sql } from '../../database/pool.ts'
import type { TimedCalls } from '../../database/timed-calls.ts'
import { insertExclusions, type SendExclusion } from './exclusion-statements.ts'

/** The most exclusions that one statement stores, so that it takes only milliseconds. */
const MAX_TOGETHER = 500

interface Waiting {
  exclusion: SendExclusion
  deadline: CallDeadline
  resolve(result: 'excluded' | 'full'): void
  reject(error: unknown): void
}

/**
 * Groups exclusions: those that arrive during a statement share the next statement and its commit. The users of a large
 * channel acknowledge the same send within a second, and each statement holds the lock of its row until it is on disk.
 */
export class Exclusions {
  readonly #sql: Sql
  readonly #calls: TimedCalls
  #waiting: Waiting[] = []
  #isWriting = false

  constructor(deps: { sql: Sql; calls: TimedCalls }) {
    this.#sql = deps.sql
    this.#calls = deps.calls
  }

  /** Stores an exclusion together with others that arrive at the same time. Rejects when its time has passed. */
  add(exclusion: SendExclusion): Promise<'excluded' | 'full'> {
    const deadline = this.#calls.startCall()
    const stored = new Promise<'excluded' | 'full'>((resolve, reject) => {
      this.#waiting.push({ exclusion, deadline, resolve, reject })
    })
    if (!this.#isWriting) {
      this.#isWriting = true
      // In the next turn of the event loop, so that the exclusions of one request share a statement.
      setImmediate(() => void this.#write())
    }
    return this.#calls.answerInTime(stored)
  }

  /** Stores group after group. Never rejects: an error rejects the promises of its group. */
  async #write(): Promise<void> {
    for (let group = this.#takeGroup(); group.length > 0; group = this.#takeGroup()) await this.#writeGroup(group)
    this.#isWriting = false
  }

  /** The exclusions wait in the order of their deadlines. */
  #takeGroup(): Waiting[] {
    const late = this.#waiting.findIndex(({ deadline }) => !deadline.isPast)
    for (const { reject } of this.#waiting.splice(0, late < 0 ? this.#waiting.length : late)) reject(makeLateError())
    return this.#waiting.splice(0, MAX_TOGETHER)
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    // The earliest deadline of the group.
    const deadline = group[0]?.deadline ?? this.#calls.startCall()
    try {
      const full = await this.#calls.runInTurn(deadline, () => {
        const exclusions = group.map(({ exclusion }) => exclusion)
        return insertExclusions(this.#sql, exclusions, deadline)
      })
      for (const { exclusion, resolve } of group) resolve(full.has(exclusion.uid) ? 'full' : 'excluded')
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }
}

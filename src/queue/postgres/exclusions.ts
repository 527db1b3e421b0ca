import { type CallDeadline, makeLateError } from '../../database/call-deadline.ts'
import type { Sql } from '../../database/pool.ts'
import type { TimedCalls } from '../../database/timed-calls.ts'
import { GroupedCalls } from '../../timing/grouped-calls.ts'
import { insertExclusions, type SendExclusion } from './exclusion-statements.ts'

/** The most exclusions that one statement stores, so that it takes only milliseconds. */
const MAX_TOGETHER = 500

interface TimedExclusion {
  exclusion: SendExclusion
  deadline: CallDeadline
}

/**
 * Groups exclusions: those that arrive during a statement share the next statement and its commit. The users of a large
 * channel acknowledge the same send within a second, and each statement holds the lock of its row until it is on disk.
 */
export class Exclusions {
  readonly #calls: TimedCalls
  readonly #grouped: GroupedCalls<TimedExclusion, 'excluded' | 'full'>

  constructor({ sql, calls }: { sql: Sql; calls: TimedCalls }) {
    this.#calls = calls
    this.#grouped = new GroupedCalls({
      maxTogether: MAX_TOGETHER,
      findRefusal: ({ deadline }) => (deadline.isPast ? makeLateError() : undefined),
      run: async (group) => {
        // The earliest deadline of the group.
        const deadline = group[0]?.deadline ?? calls.startCall()
        const exclusions = group.map(({ exclusion }) => exclusion)
        const full = await calls.runInTurn(deadline, () => insertExclusions(sql, exclusions, deadline))
        return exclusions.map(({ uid }) => (full.has(uid) ? 'full' : 'excluded'))
      },
    })
  }

  /** Stores an exclusion together with others that arrive at the same time. Rejects when its time has passed. */
  add(exclusion: SendExclusion): Promise<'excluded' | 'full'> {
    return this.#calls.answerInTime(this.#grouped.add({ exclusion, deadline: this.#calls.startCall() }))
  }
}

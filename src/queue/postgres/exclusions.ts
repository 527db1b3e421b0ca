import { type CallDeadline, makeLateError } from '../../database/call-deadline.ts'
import { mayBeOfOneCall } from '../../database/error-of-one-call.ts'
import type { Sql } from '../../database/pool.ts'
import type { TimedCalls } from '../../database/timed-calls.ts'
import { GroupedCalls } from '../../timing/grouped-calls.ts'
import { type ExcludedQuery, insertExclusions, type SendExclusion, selectExcluded } from './exclusion-statements.ts'
import { inTime } from './in-time.ts'

/** The most exclusions that one statement stores or targets that it looks for, so that it takes only milliseconds. */
const MAX_TOGETHER = 500
/** The least time between two statements that store exclusions, in ms: a client does not notice it. */
const MIN_INTERVAL_MS = 3
/** While the worker reads the result of one search, PostgreSQL executes the other. */
const MAX_SEARCHES = 2

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
  readonly #searches: GroupedCalls<ExcludedQuery, boolean[]>

  constructor({ sql, calls }: { sql: Sql; calls: TimedCalls }) {
    this.#calls = calls
    this.#grouped = new GroupedCalls({
      maxTogether: MAX_TOGETHER,
      minIntervalMs: MIN_INTERVAL_MS,
      findRefusal: ({ deadline }) => (deadline.isPast ? makeLateError() : undefined),
      run: async (group) => {
        // The earliest deadline of the group.
        const deadline = group[0]?.deadline ?? calls.startCall()
        const exclusions = group.map(({ exclusion }) => exclusion)
        const full = await calls.runInTurn(deadline, () => insertExclusions(sql, exclusions, deadline))
        return exclusions.map(({ uid }) => (full.has(uid) ? 'full' : 'excluded'))
      },
    })
    this.#searches = new GroupedCalls({
      maxTogether: MAX_TOGETHER,
      sizeOf: ({ targets }) => targets.length,
      maxSize: MAX_TOGETHER,
      maxRunning: MAX_SEARCHES,
      mayBeOfOneCall,
      run: (group) => selectExcluded(sql, group),
    })
  }

  /** As `Queue.findExcluded`. Searches for the targets of small batches share a statement. */
  find(query: ExcludedQuery): Promise<boolean[]> {
    return inTime(this.#searches.add(query))
  }

  /** Stores an exclusion together with others that arrive at the same time. Rejects when its time has passed. */
  add(exclusion: SendExclusion): Promise<'excluded' | 'full'> {
    return this.#calls.answerInTime(this.#grouped.add({ exclusion, deadline: this.#calls.startCall() }))
  }
}

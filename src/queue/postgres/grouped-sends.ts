import { type CallDeadline, makeLateError } from '../../database/call-deadline.ts'
import { mayBeOfOneCall } from '../../database/error-of-one-call.ts'
import type { Sql } from '../../database/pool.ts'
import type { TimedCalls } from '../../database/timed-calls.ts'
import { GroupedCalls } from '../../timing/grouped-calls.ts'
import { laneOfWork } from '../announcements.ts'
import type { LimitCheck, LimitReached } from '../queue-limits.ts'
import type { Insertion, NewSend, Page, Send } from '../send.ts'
import { canShare } from '../send-size.ts'
import { insertSends } from './insert-sends.ts'
import { cancelSends } from './send-statements.ts'
import type { WakeUp } from './wake-up.ts'

/** The most calls that one statement executes, so that it takes only milliseconds. */
const MAX_TOGETHER = 64
/** While PostgreSQL writes the commit of one group to disk, it executes the other. */
const MAX_RUNNING = 2
/** The least time between two statements, in ms: a fifth of the median time of a call at half of the saturation. */
const MIN_INTERVAL_MS = 2

interface Deps {
  sql: Sql
  calls: TimedCalls
  limits: LimitCheck
  wakeUp: WakeUp
}

interface Timed {
  deadline: CallDeadline
}
type TimedSend = NewSend & Timed
type TimedCancel = Timed & { uid: string }

/**
 * Stores and cancels sends. Calls that arrive during a statement share the next one and its commit. A group is not
 * executed after the deadline of any of its calls; after an error, each of its calls is executed alone.
 */
export class GroupedSends {
  readonly #deps: Deps
  readonly #sends: GroupedCalls<TimedSend, Insertion>
  readonly #cancels: GroupedCalls<TimedCancel, undefined>

  constructor(deps: Deps) {
    this.#deps = deps
    const options = {
      maxTogether: MAX_TOGETHER,
      maxRunning: MAX_RUNNING,
      minIntervalMs: MIN_INTERVAL_MS,
      findRefusal: ({ deadline }: Timed) => (deadline.isPast ? makeLateError() : undefined),
      mayBeOfOneCall,
    }
    this.#sends = new GroupedCalls<TimedSend, Insertion>({
      ...options,
      keyOf: ({ send }) => send.uid,
      run: (group) => this.#store(group),
    })
    this.#cancels = new GroupedCalls<TimedCancel, undefined>({ ...options, run: (group) => this.#cancel(group) })
  }

  /** As `Queue.enqueue`. Rejects when the time of the call has passed. */
  enqueue(send: Send, page: Page | undefined): Promise<Insertion | LimitReached> {
    const { calls } = this.#deps
    return calls.answerInTime(this.#enqueue({ send, page, deadline: calls.startCall() }))
  }

  /** As `Queue.cancel`. Rejects when the time of the call has passed. */
  cancel(uid: string): Promise<void> {
    const { calls } = this.#deps
    return calls.answerInTime(this.#cancels.add({ uid, deadline: calls.startCall() }))
  }

  async #enqueue(call: TimedSend): Promise<Insertion | LimitReached> {
    const reached = await this.#deps.limits.findReached(call.send)
    if (reached) return reached
    return await (canShare(call.send, call.page) ? this.#sends.add(call) : this.#storeOne(call))
  }

  async #storeOne(call: TimedSend): Promise<Insertion> {
    const [result = 'conflict'] = await this.#store([call])
    return result
  }

  #store(group: readonly TimedSend[]): Promise<Insertion[]> {
    const { sql, wakeUp } = this.#deps
    return this.#runInTime(group, async (deadline) => {
      const lanes = [...new Set(group.map(({ send, page }) => laneOfWork(send, page)))]
      const work = lanes.map((lane) => ({ lane, notice: wakeUp.takeNotice(lane) }))
      const notices = work.flatMap(({ notice }) => notice ?? [])
      const results = await insertSends(sql, group, { notices, deadline })
      for (const { lane, notice } of work) wakeUp.announce(lane, notice)
      return results
    })
  }

  async #cancel(group: readonly TimedCancel[]): Promise<undefined[]> {
    const uids = [...new Set(group.map(({ uid }) => uid))]
    await this.#runInTime(group, (deadline) => cancelSends(this.#deps.sql, uids, deadline))
    return group.map(() => undefined)
  }

  /** Runs `work` when a connection is free, until the earliest deadline of the group. */
  #runInTime<T>(group: readonly Timed[], work: (deadline: CallDeadline) => Promise<T>): Promise<T> {
    const { calls } = this.#deps
    const deadline = group[0]?.deadline ?? calls.startCall()
    return calls.runInTurn(deadline, () => work(deadline))
  }
}

import { ReplyError } from 'ioredis'
import { GroupedCalls } from '../../timing/grouped-calls.ts'
import type { LimitCheck, LimitReached } from '../queue-limits.ts'
import type { Insertion, NewSend, Page, Send } from '../send.ts'
import { canShare, estimateBytes } from '../send-size.ts'
import { type RecentWrites, SMALL_WRITE_BYTES } from './recent-writes.ts'
import type { Scope } from './scope.ts'
import { cancelSends, storeSends } from './send-scripts.ts'
import { isLate, type TimedWrites } from './timed-writes.ts'

/** The most calls that one script executes. Redis does nothing else during a script, so it takes at most 2 ms. */
const MAX_TOGETHER = 32

interface Deps {
  queue: Scope
  writes: TimedWrites
  recentWrites: RecentWrites
  limits: LimitCheck
  keepReportsMs: number
}

/**
 * Stores and cancels sends. Calls that arrive in one turn of the event loop share a script, and so a write to the
 * socket and a reply. After an error that one of them may have caused, each is executed alone.
 */
export class GroupedSends {
  readonly #deps: Deps
  readonly #sends: GroupedCalls<NewSend, Insertion>
  readonly #cancels: GroupedCalls<string, undefined>

  constructor(deps: Deps) {
    this.#deps = deps
    const options = {
      maxTogether: MAX_TOGETHER,
      // A script need not wait for the reply to another one: Redis executes those of a connection in their order.
      maxRunning: Number.POSITIVE_INFINITY,
      mayBeOfOneCall: (error: unknown) => error instanceof ReplyError && !isLate(error),
    }
    this.#sends = new GroupedCalls<NewSend, Insertion>({
      ...options,
      keyOf: ({ send }) => send.uid,
      run: (group) => this.#store(group),
    })
    this.#cancels = new GroupedCalls<string, undefined>({ ...options, run: (group) => this.#cancel(group) })
  }

  /** As `Queue.enqueue`. */
  async enqueue(send: Send, page: Page | undefined): Promise<Insertion | LimitReached> {
    const { limits, recentWrites } = this.#deps
    const reached = await limits.findReached(send)
    if (reached) return reached
    const store = () => (canShare(send, page) ? this.#sends.add({ send, page }) : this.#storeOne({ send, page }))
    const result = await store()
    // A duplicate is remembered too: only the process that accepted the send first remembers it, and that one may have
    // stopped.
    if (result === 'accepted' || result === 'duplicate') {
      const repeat = async () => (await store()) !== 'outOfMemory'
      recentWrites.remember({ bytes: estimateBytes(send, page), isCancellation: false, repeat })
    }
    return result
  }

  /** As `Queue.cancel`. */
  async cancel(uid: string): Promise<void> {
    await this.#cancels.add(uid)
    const repeat = () => this.#cancels.add(uid).then(() => true)
    this.#deps.recentWrites.remember({ bytes: SMALL_WRITE_BYTES, isCancellation: true, repeat })
  }

  async #storeOne(send: NewSend): Promise<Insertion> {
    const [result = 'conflict'] = await this.#store([send])
    return result
  }

  #store(group: readonly NewSend[]): Promise<Insertion[]> {
    const { queue, writes, keepReportsMs: keepReportMs } = this.#deps
    return writes.run((deadlineMs) => storeSends(queue, group, { deadlineMs, keepReportMs }))
  }

  async #cancel(group: readonly string[]): Promise<undefined[]> {
    const { queue, writes } = this.#deps
    await writes.run((deadlineMs) => cancelSends(queue, [...new Set(group)], deadlineMs))
    return group.map(() => undefined)
  }
}

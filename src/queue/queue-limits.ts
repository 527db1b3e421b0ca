import type { Send } from './send.ts'

/** The least time between two counts of a limit, in ms. A limit need not be exact, and each count is a call. */
const COUNT_INTERVAL_MS = 1000
/** The most scheduled sends unless it is configured. */
const MAX_SCHEDULED = 10_000_000

/** The most work that a queue accepts. */
export interface QueueLimits {
  /** The number of jobs (batches, retries and due sends) from which on sends are refused as 'full'. */
  maxJobs: number
  /** The number of scheduled sends from which on others are refused as 'tooManyScheduled'; MAX_SCHEDULED by default. */
  maxScheduled?: number | undefined
}

/** The limit that a queue has reached, as a result of `Queue.enqueue`. */
export type LimitReached = 'full' | 'tooManyScheduled'

/** Compares the work in a queue with its limits. */
export class LimitCheck {
  readonly #isFull: () => Promise<boolean>
  readonly #hasTooManyScheduled: () => Promise<boolean>

  /** @param counts count the jobs, and the sends with a `send_at` in the future */
  constructor(
    { maxJobs, maxScheduled = MAX_SCHEDULED }: QueueLimits,
    counts: Record<'countJobs' | 'countScheduled', () => Promise<number>>,
  ) {
    this.#isFull = askRarely(async () => (await counts.countJobs()) >= maxJobs)
    this.#hasTooManyScheduled = askRarely(async () => (await counts.countScheduled()) >= maxScheduled)
  }

  /** The limit that refuses a send, by counts of the last second; undefined: none. */
  async findReached({ sendAtMs }: Send): Promise<LimitReached | undefined> {
    if (await this.#isFull()) return 'full'
    return sendAtMs !== undefined && (await this.#hasTooManyScheduled()) ? 'tooManyScheduled' : undefined
  }
}

/** Answers with the answer of the last second. */
function askRarely(ask: () => Promise<boolean>): () => Promise<boolean> {
  let last: { untilMs: number; answer: Promise<boolean> } | undefined
  return () => {
    const nowMs = Date.now()
    if (!last || nowMs >= last.untilMs) last = { untilMs: nowMs + COUNT_INTERVAL_MS, answer: ask() }
    return last.answer
  }
}

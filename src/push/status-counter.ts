// Counts apps' reports in the reports of sends. Thousands of them may arrive in a second, so they are added up here and
// stored once a second. The counts of the last second are lost if the process is killed; analytics has the reports.
import type { Logger } from '../observability/log.ts'
import type { Queue } from '../queue/queue.ts'
import type { StatusCount } from '../queue/report.ts'
import { type Repetition, startRepeating } from '../timing/repeat.ts'

const INTERVAL_MS = 1000
/** The most sends with counts that are not stored yet. Reports of further sends are not counted. */
const MAX_SENDS = 10_000

interface Deps {
  queue: Pick<Queue, 'countStatuses'>
  logger: Logger
}

/** Adds up apps' reports for the reports of sends. */
export class StatusCounter {
  readonly #deps: Deps
  readonly #writing: Repetition
  #counts = new Map<string, StatusCount>()

  constructor(deps: Deps) {
    this.#deps = deps
    this.#writing = startRepeating({
      intervalMs: INTERVAL_MS,
      work: () => this.#write(),
      onError: (error) => deps.logger.warn({ err: error }, "push: apps' reports not counted, retrying"),
    })
  }

  /** Counts a report. `uid` may be that of an unknown send. */
  add({ uid, status }: { uid: string; status: 'delivered' | 'interacted' }): void {
    this.#add({ uid, delivered: 0, interacted: 0, [status]: 1 })
  }

  /** Stores the remaining counts. Rejects if the queue can't be reached. */
  async stop(): Promise<void> {
    await this.#writing.stop()
    await this.#write()
  }

  async #write(): Promise<void> {
    const counts = this.#counts
    if (counts.size === 0) return
    this.#counts = new Map()
    try {
      await this.#deps.queue.countStatuses([...counts.values()])
    } catch (error) {
      for (const count of counts.values()) this.#add(count)
      throw error
    }
  }

  #add({ uid, delivered, interacted }: StatusCount): void {
    const count = this.#counts.get(uid)
    if (count) {
      count.delivered += delivered
      count.interacted += interacted
    } else if (this.#counts.size < MAX_SENDS) this.#counts.set(uid, { uid, delivered, interacted })
  }
}

// How a loop waits for work: it listens to announcements, and looks at the queue now and then.
//
//   busy ──(a poll interval without an announcement, and the loop has no work)──▶ quiet ──(announcement | work)──▶ busy
//
// A busy loop looks every `pollMs`, because work becomes due (retries, scheduled sends, abandoned claims) and an
// announcement may be lost. A quiet one asks the queue when work becomes due, and looks then.
import type { ProviderName } from '../config/provider-names.ts'
import { pause } from '../timing/pause.ts'
import type { Duty, Lane, WorkKind } from './lane.ts'
import type { Queue } from './queue.ts'

/** The longest time between two looks of a quiet loop, in ms. A lost announcement delays its work by so much. */
const QUIET_POLL_MS = 5000

/** The longest time of a timer: listening ends with an announcement or with the loop. */
const ENDLESS_MS = 2 ** 31 - 1

interface Deps {
  queue: Pick<Queue, 'waitForWork' | 'untilDue'>
  duty: Duty
  lane: Lane
  /** The work of the loop: announcements of other kinds do not end its waits. */
  kind: WorkKind
  /** The time between two looks of a busy loop, in ms. */
  pollMs: number
  /** Stops all waits. */
  signal: AbortSignal
}

/** The waits of one loop. It calls `listen` before each claim, so that work which arrives during it is not missed. */
export class WorkWatch {
  readonly #deps: Deps
  readonly #isFallback: boolean
  #listening: Promise<void> | undefined
  #waiting: Promise<void> | undefined
  #isAnnounced = false
  #isQuiet = false

  constructor(deps: Deps) {
    this.#deps = deps
    this.#isFallback = deps.duty.fallbackLanes.includes(deps.lane)
  }

  /** Begins to listen: announcements from here on end the next wait. */
  listen(): void {
    const { queue, lane, kind, signal } = this.#deps
    this.#isAnnounced = false
    // Another process serves a fallback lane first, so its announcements are left to it.
    const heard = () =>
      this.#isFallback ? pause(ENDLESS_MS, signal).then(() => false) : queue.waitForWork(lane, ENDLESS_MS, signal, kind)
    this.#listening ??= heard().then((isAnnounced) => {
      this.#listening = undefined
      this.#isAnnounced ||= isAnnounced
    })
  }

  /**
   * Resolves when there may be work. Rejects if the queue can't be asked.
   * @param providers the loop claims batches of these providers
   */
  wait(providers: readonly ProviderName[]): Promise<void> {
    this.#waiting ??= this.#wait(providers).finally(() => {
      this.#waiting = undefined
    })
    return this.#waiting
  }

  /** The loop has work, so more of it may become due soon. */
  onWork(): void {
    this.#isQuiet = false
  }

  async #wait(providers: readonly ProviderName[]): Promise<void> {
    const timeoutMs = await this.#chooseTimeout(providers)
    let timer: NodeJS.Timeout | undefined
    const poll = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs)
    })
    if (!this.#isAnnounced) await Promise.race([this.#listening, poll])
    clearTimeout(timer)
    this.#isQuiet = !this.#isAnnounced && !this.#isFallback
  }

  async #chooseTimeout(providers: readonly ProviderName[]): Promise<number> {
    const { queue, lane, pollMs } = this.#deps
    if (!this.#isQuiet) return pollMs
    const dueMs = await queue.untilDue(lane, providers)
    return dueMs <= 0 ? pollMs : Math.ceil(Math.min(dueMs, QUIET_POLL_MS))
  }
}

// Watches a store by checks of its own, so that its state is known without work for it, and logs its outages.
//
//   up ──(two checks in a row without success)──▶ down ──(a check succeeds)──▶ up
//
// Failures of the work itself are logged too, but do not change the state: a busy store is up.
import { DeadlineError, withDeadline } from '../timing/deadline.ts'
import { type Repetition, startRepeating } from '../timing/repeat.ts'
import type { Logger } from './log.ts'
import { type Outage, OutageLog } from './outage-log.ts'

/** The kinds of stores. */
export const STORES = ['postgresql', 'redis'] as const
export type Store = (typeof STORES)[number]

/** An outage of a store. */
export interface StoreOutage extends Outage {
  /** The store answers, and refuses a part of the work only. It counts as up. */
  isPartial: boolean
}

/** A connection for checks alone, so that they do not wait behind other commands. */
export interface StoreCheck {
  /** Resolves when the store can do its work. */
  ask(): Promise<void>
  /** Replaces a connection without answers. Questions that are not answered reject. */
  reconnect(): void
  /** Closes the connection. */
  close(): Promise<void>
}

/** The pause between two checks, in ms. */
const INTERVAL_MS = 1000
/** The time limit of a check, in ms. Two of them, with the pauses between them, take six seconds. */
const TIMEOUT_MS = 2000
/** If its time limit fires later than this, in ms, a check has no result: this process was stopped or busy. */
const MAX_DELAY_MS = 500
const FAILURES_UNTIL_DOWN = 2
/** In ms without a refusal, until a partial outage that checks do not notice counts as over. */
const QUIET_MS = 60_000
/** Work that began while the store was down can fail by its time limit this long after the store's return, in ms. */
const LATE_FAILURE_MS = 15_000

const NO_ANSWER: StoreOutage = {
  cause: `the store does not answer in ${TIMEOUT_MS} ms`,
  mend: 'look for a stopped server, a broken network, and a machine without CPU time',
  isPartial: false,
}

interface Deps {
  store: Store
  /** One for each server. The store is up when all of them are. */
  checks: readonly StoreCheck[]
  /** The outage that an error of the store is due to; undefined for any other error. */
  explain(error: unknown): StoreOutage | undefined
  logger: Logger
  /** A monotonic clock in ms. */
  now(): number
}

/** Knows whether a store works. */
export class StoreMonitor {
  readonly #deps: Deps
  readonly #log: OutageLog
  readonly #repetition: Repetition
  /** Checks in a row without success. */
  #failures = 0
  /** The last check of a store that was down. */
  #downAtMs = Number.NEGATIVE_INFINITY
  /** The last refusal of work that the checks do not notice. */
  #refusedAtMs = Number.NEGATIVE_INFINITY
  /** The last check noticed a partial outage. */
  #isRefused = false

  constructor(deps: Deps) {
    this.#deps = deps
    this.#log = new OutageLog({ ...deps, kind: 'store', name: deps.store })
    this.#repetition = startRepeating({
      intervalMs: INTERVAL_MS,
      work: () => this.#check(),
      onError: (error) => deps.logger.error({ err: error, store: deps.store }, 'store: check failed'),
    })
  }

  /** Whether the store works, from memory. */
  get isUp(): boolean {
    return this.#failures < FAILURES_UNTIL_DOWN
  }

  /** Takes a failure of work that this outage explains. */
  onFailure(outage: StoreOutage): void {
    const nowMs = this.#deps.now()
    if (outage.isPartial && nowMs - this.#downAtMs > LATE_FAILURE_MS) this.#refusedAtMs = nowMs
    this.#log.onFailure(outage)
  }

  /** Ends the checks. */
  async stop(): Promise<void> {
    const stopped = this.#repetition.stop()
    await Promise.all(this.#deps.checks.map((check) => check.close()))
    await stopped
  }

  async #check(): Promise<void> {
    const { checks, explain, now } = this.#deps
    const beganAtMs = now()
    try {
      await Promise.all(checks.map(askInTime))
      this.#onSuccess()
    } catch (error) {
      if (now() - beganAtMs > TIMEOUT_MS + MAX_DELAY_MS) return
      this.#onFailedCheck(error instanceof DeadlineError ? NO_ANSWER : (explain(error) ?? explainUnknown(error)))
    }
  }

  #onSuccess(): void {
    this.#failures = 0
    // The checks noticed this outage, and now its end.
    if (this.#isRefused) this.#refusedAtMs = Number.NEGATIVE_INFINITY
    this.#isRefused = false
    if (this.#deps.now() - this.#refusedAtMs >= QUIET_MS) this.#log.onWell()
  }

  #onFailedCheck(outage: StoreOutage): void {
    this.#isRefused = outage.isPartial
    this.#failures = outage.isPartial ? 0 : this.#failures + 1
    if (!this.isUp) this.#downAtMs = this.#deps.now()
    if (outage.isPartial || !this.isUp) this.#log.onFailure(outage)
  }
}

async function askInTime(check: StoreCheck): Promise<void> {
  try {
    await withDeadline(check.ask(), TIMEOUT_MS)
  } catch (error) {
    if (error instanceof DeadlineError) check.reconnect()
    throw error
  }
}

/** Messages of the drivers contain no values of a statement without parameters. */
function explainUnknown(error: unknown): StoreOutage {
  const why = error instanceof Error ? error.message : 'unknown error'
  return { cause: `the store refuses the check: ${why}`, mend: 'see the log of the store', isPartial: false }
}

// Watches a store by probes of its own, so that its state is known without work for it, and logs its outages.
//
//   up ──(two probes in a row without success)──▶ down ──(a probe succeeds)──▶ up
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

/** A connection for probes alone, so that they do not wait behind other commands. */
export interface StoreProbe {
  /** Resolves when the store can do its work. */
  ask(): Promise<void>
  /** Replaces a connection without answers. Questions that are not answered reject. */
  reconnect(): void
  /** Closes the connection. */
  close(): Promise<void>
}

/** The pause between two probes, in ms. */
const INTERVAL_MS = 1000
/** The time limit of a probe, in ms. Two of them, with the pauses between them, take six seconds. */
const TIMEOUT_MS = 2000
/** In ms: after a longer delay of its time limit, a probe has no result. This process was stopped or busy meanwhile. */
const MAX_DELAY_MS = 500
const FAILURES_UNTIL_DOWN = 2
/** In ms without a refusal, until a partial outage that probes do not notice counts as over. */
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
  probes: readonly StoreProbe[]
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
  /** Probes in a row without success. */
  #failures = 0
  /** The last probe of a store that was down. */
  #downAtMs = Number.NEGATIVE_INFINITY
  /** The last refusal of work that the probes do not notice. */
  #refusedAtMs = Number.NEGATIVE_INFINITY
  /** The last probe noticed a partial outage. */
  #isRefused = false

  constructor(deps: Deps) {
    this.#deps = deps
    this.#log = new OutageLog({ ...deps, kind: 'store', name: deps.store })
    this.#repetition = startRepeating({
      intervalMs: INTERVAL_MS,
      work: () => this.#probe(),
      onError: (error) => deps.logger.error({ err: error, store: deps.store }, 'store: probe failed'),
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

  /** Ends the probes. */
  async stop(): Promise<void> {
    const stopped = this.#repetition.stop()
    await Promise.all(this.#deps.probes.map((probe) => probe.close()))
    await stopped
  }

  async #probe(): Promise<void> {
    const { probes, explain, now } = this.#deps
    const beganAtMs = now()
    try {
      await Promise.all(probes.map(askInTime))
      this.#onSuccess()
    } catch (error) {
      if (now() - beganAtMs > TIMEOUT_MS + MAX_DELAY_MS) return
      this.#onFailedProbe(error instanceof DeadlineError ? NO_ANSWER : (explain(error) ?? explainUnknown(error)))
    }
  }

  #onSuccess(): void {
    this.#failures = 0
    // The probes noticed this outage, and now its end.
    if (this.#isRefused) this.#refusedAtMs = Number.NEGATIVE_INFINITY
    this.#isRefused = false
    if (this.#deps.now() - this.#refusedAtMs >= QUIET_MS) this.#log.onWell()
  }

  #onFailedProbe(outage: StoreOutage): void {
    this.#isRefused = outage.isPartial
    this.#failures = outage.isPartial ? 0 : this.#failures + 1
    if (!this.isUp) this.#downAtMs = this.#deps.now()
    if (outage.isPartial || !this.isUp) this.#log.onFailure(outage)
  }
}

async function askInTime(probe: StoreProbe): Promise<void> {
  try {
    await withDeadline(probe.ask(), TIMEOUT_MS)
  } catch (error) {
    if (error instanceof DeadlineError) probe.reconnect()
    throw error
  }
}

/** Messages of the drivers contain no values of a statement without parameters. */
function explainUnknown(error: unknown): StoreOutage {
  const why = error instanceof Error ? error.message : 'unknown error'
  return { cause: `the store refuses a probe: ${why}`, mend: 'see the log of the store', isPartial: false }
}

import type { Logger } from './log.ts'

/** The explanation of an outage, for the operator. It contains no token, key or payload. */
export interface Outage {
  /** Why the store or provider does not work, such as `PostgreSQL refuses connections`. */
  cause: string
  /** The action that ends the outage, such as `start PostgreSQL, or correct database.postgresql.dsn`. */
  mend: string
}

/** How often an outage that continues is logged again, in ms. */
const REMINDER_MS = 60_000
/**
 * An outage counts as over after this many ms without a failure. So one that comes and goes is a single outage in the
 * log.
 */
const STEADY_MS = 10_000

interface Deps {
  logger: Logger
  /** Whether a store or a provider fails: the area of the log messages, and the field that has its name. */
  kind: 'store' | 'provider'
  name: string
  /** Returns the current time in ms. */
  now(): number
}

/**
 * Logs the outages of a store or of a provider: one line at the start of an outage, one a minute while failures
 * continue, each with the latest cause, and one at the end. All other failures are logged at level `debug`.
 */
export class OutageLog {
  readonly #deps: Deps
  /** When the outage began, and when it was last logged; undefined while there is none. */
  #outage: { beganAtMs: number; loggedAtMs: number } | undefined
  #ending: NodeJS.Timeout | undefined

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Records a failure. @param fields more facts for the log line, such as the error as `err` */
  onFailure({ cause, mend }: Outage, fields: { err?: unknown; origin?: string } = {}): void {
    const { logger, kind, name, now } = this.#deps
    const nowMs = now()
    clearTimeout(this.#ending)
    this.#ending = undefined
    const line = { [kind]: name, cause, mend, ...fields }
    if (!this.#outage) {
      this.#outage = { beganAtMs: nowMs, loggedAtMs: nowMs }
      logger.error(line, `${kind}: outage began`)
    } else if (nowMs - this.#outage.loggedAtMs >= REMINDER_MS) {
      this.#outage.loggedAtMs = nowMs
      logger.error({ ...line, seconds: this.#seconds(nowMs) }, `${kind}: outage continues`)
    } else logger.debug(line, `${kind}: failure during an outage`)
  }

  /** Records a success. The outage is over if no failure follows in the next ten seconds. */
  onWell(): void {
    if (!this.#outage || this.#ending) return
    const wellAtMs = this.#deps.now()
    this.#ending = setTimeout(() => this.#onEnd(wellAtMs), STEADY_MS).unref()
  }

  #onEnd(wellAtMs: number): void {
    const { logger, kind, name } = this.#deps
    logger.info({ [kind]: name, seconds: this.#seconds(wellAtMs) }, `${kind}: outage ended`)
    this.#outage = undefined
    this.#ending = undefined
  }

  /** The length of the outage in seconds, from its start to `untilMs`. */
  #seconds(untilMs: number): number {
    return Math.round((untilMs - (this.#outage?.beganAtMs ?? untilMs)) / 1000)
  }
}

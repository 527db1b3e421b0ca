import type { Logger } from './log.ts'

/** The explanation of an outage, for the operator. Neither text contains a token, a key or a payload. */
export interface Outage {
  /** Why nothing works, such as `PostgreSQL refuses connections`. */
  cause: string
  /** The action that ends the outage, such as `start PostgreSQL, or correct database.postgresql.dsn`. */
  mend: string
}

/** The interval of the reminders of an outage, in ms. */
const REMINDER_MS = 60_000
/** In ms without a failure, until the outage counts as over. One that comes and goes is a single outage in the log. */
const STEADY_MS = 10_000

interface Deps {
  logger: Logger
  /** The kind of part: the area of the messages, and the field that has its name. */
  kind: 'store' | 'provider'
  name: string
  /** A clock in ms. */
  now(): number
}

/**
 * Logs the outages of a store or of a provider. An outage has one line at its begin and one a minute while failures go
 * on, each with the latest cause, and one at its end. All other failures are at level `debug`.
 */
export class OutageLog {
  readonly #deps: Deps
  /** The begin of the outage, and the last of its lines; undefined while there is none. */
  #outage: { beganAtMs: number; loggedAtMs: number } | undefined
  #ending: NodeJS.Timeout | undefined

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Takes a failure. @param fields more facts for the line, such as the error as `err` */
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

  /** Takes a success. Without a failure in the next ten seconds, the outage is over. */
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

  /** The length of the outage until a time. */
  #seconds(untilMs: number): number {
    return Math.round((untilMs - (this.#outage?.beganAtMs ?? untilMs)) / 1000)
  }
}

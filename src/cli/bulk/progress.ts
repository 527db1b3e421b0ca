// Shows the progress of a long command: on a terminal as one line that is redrawn, elsewhere as a new line every ten
// seconds.

/**
 * The progress to show. `done` and `total` have the same unit, for example bytes, which may differ from that of
 * `count`.
 */
export interface ProgressState {
  /** The number of records so far. */
  count: number
  done?: number
  total?: number
}

interface Deps {
  /** Where the progress is written: standard error, because standard output may carry the data. */
  output: { isTTY?: boolean; columns?: number; write(text: string): unknown }
  /** The word for the records, for example `devices`. */
  noun: string
  /** Returns the current time in ms. */
  now(): number
}

const TERMINAL_INTERVAL_MS = 200
/** The least time between two lines that are not on a terminal. More frequent lines would be noise in a log. */
const LOG_INTERVAL_MS = 10_000
const BAR_WIDTH = 24

/** Shows the progress. Call `end` at the end: it removes the line from a terminal. */
export class Progress {
  readonly #deps: Deps
  readonly #startedMs: number
  #first: number | undefined
  #nextMs: number
  #hasLine = false

  constructor(deps: Deps) {
    this.#deps = deps
    this.#startedMs = deps.now()
    this.#nextMs = this.#startedMs + this.#intervalMs
  }

  /** Shows the progress, unless it was shown a moment ago. */
  show(state: ProgressState): void {
    this.#first ??= state.count
    const nowMs = this.#deps.now()
    if (nowMs < this.#nextMs) return
    this.#nextMs = nowMs + this.#intervalMs
    const line = this.#describe(state, nowMs)
    if (this.#deps.output.isTTY) this.#draw(line)
    else this.#deps.output.write(`${line}\n`)
  }

  /** Prints a line that stays, above the progress line. */
  print(line: string): void {
    this.#clear()
    this.#deps.output.write(`${line}\n`)
  }

  /** Removes the progress line. */
  end(): void {
    this.#clear()
  }

  get #intervalMs(): number {
    return this.#deps.output.isTTY ? TERMINAL_INTERVAL_MS : LOG_INTERVAL_MS
  }

  #describe({ count, done, total }: ProgressState, nowMs: number): string {
    // The rate counts only the records of this run, not those of the run that it resumes.
    const rate = Math.round(((count - (this.#first ?? 0)) * 1000) / Math.max(nowMs - this.#startedMs, 1))
    const numbers = `${count} ${this.#deps.noun}, ${rate}/s`
    if (done === undefined || !total) return numbers
    const part = Math.min(done / total, 1)
    const filled = Math.round(part * BAR_WIDTH)
    return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] ${Math.floor(part * 100)} %  ${numbers}`
  }

  #draw(line: string): void {
    // The line is cut to the width of the terminal: a longer one would wrap, and then could not be overwritten.
    this.#deps.output.write(`\r\x1b[K${line.slice(0, (this.#deps.output.columns ?? 80) - 1)}`)
    this.#hasLine = true
  }

  #clear(): void {
    if (this.#hasLine) this.#deps.output.write('\r\x1b[K')
    this.#hasLine = false
  }
}

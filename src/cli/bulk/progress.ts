// The progress of a long command: on a terminal one line that is redrawn, elsewhere a new line every ten seconds.

/** The state to show. `done` and `total` have the same unit, which may differ from that of `count`. */
export interface ProgressState {
  /** Records so far. */
  count: number
  done?: number
  total?: number
}

interface Deps {
  /** Standard error: standard output may carry the data. */
  output: { isTTY?: boolean; columns?: number; write(text: string): unknown }
  /** The word for the records: `devices`. */
  noun: string
  /** Time in ms. */
  now(): number
}

const TERMINAL_INTERVAL_MS = 200
/** More frequent lines would be noise in a log. */
const LOG_INTERVAL_MS = 10_000
const BAR_WIDTH = 24

/** Draws the progress; `end` removes the line of a terminal. */
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

  /** Shows the state unless the interval since the last one is too short. */
  show(state: ProgressState): void {
    this.#first ??= state.count
    const nowMs = this.#deps.now()
    if (nowMs < this.#nextMs) return
    this.#nextMs = nowMs + this.#intervalMs
    const line = this.#describe(state, nowMs)
    if (this.#deps.output.isTTY) this.#draw(line)
    else this.#deps.output.write(`${line}\n`)
  }

  /** Prints a permanent line above the progress line. */
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
    // The rate excludes the records of an earlier run.
    const rate = Math.round(((count - (this.#first ?? 0)) * 1000) / Math.max(nowMs - this.#startedMs, 1))
    const numbers = `${count} ${this.#deps.noun}, ${rate}/s`
    if (done === undefined || !total) return numbers
    const part = Math.min(done / total, 1)
    const filled = Math.round(part * BAR_WIDTH)
    return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] ${Math.floor(part * 100)} %  ${numbers}`
  }

  #draw(line: string): void {
    // A line wider than the terminal would wrap and could not be overwritten.
    this.#deps.output.write(`\r\x1b[K${line.slice(0, (this.#deps.output.columns ?? 80) - 1)}`)
    this.#hasLine = true
  }

  #clear(): void {
    if (this.#hasLine) this.#deps.output.write('\r\x1b[K')
    this.#hasLine = false
  }
}

// How far a long command is: a line that is drawn over and over on a terminal, a line now and then elsewhere.

/** What is there to be told; `done` and `total` are of one unit, which need not be that of `count`. */
export interface ProgressState {
  /** Devices, or what else the command counts. */
  count: number
  done?: number
  total?: number
}

interface Deps {
  /** Standard error: standard output may carry the data. */
  output: { isTTY?: boolean; columns?: number; write(text: string): unknown }
  /** What is counted: `devices`. */
  noun: string
  /** Time in ms. */
  now(): number
}

const TERMINAL_INTERVAL_MS = 200
/** In a log, more lines than these would be noise. */
const LOG_INTERVAL_MS = 10_000
const BAR_WIDTH = 24

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

  /** Shows the state, unless the last one was shown a moment ago. */
  show(state: ProgressState): void {
    this.#first ??= state.count
    const nowMs = this.#deps.now()
    if (nowMs < this.#nextMs) return
    this.#nextMs = nowMs + this.#intervalMs
    const line = this.#describe(state, nowMs)
    if (this.#deps.output.isTTY) this.#draw(line)
    else this.#deps.output.write(`${line}\n`)
  }

  /** Prints a line of its own, above what is drawn. */
  print(line: string): void {
    this.#clear()
    this.#deps.output.write(`${line}\n`)
  }

  /** Takes the drawn line away. */
  end(): void {
    this.#clear()
  }

  get #intervalMs(): number {
    return this.#deps.output.isTTY ? TERMINAL_INTERVAL_MS : LOG_INTERVAL_MS
  }

  #describe({ count, done, total }: ProgressState, nowMs: number): string {
    // What an earlier run has done is no part of the rate.
    const rate = Math.round(((count - (this.#first ?? 0)) * 1000) / Math.max(nowMs - this.#startedMs, 1))
    const numbers = `${count} ${this.#deps.noun}, ${rate}/s`
    if (done === undefined || !total) return numbers
    const part = Math.min(done / total, 1)
    const filled = Math.round(part * BAR_WIDTH)
    return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] ${Math.floor(part * 100)} %  ${numbers}`
  }

  #draw(line: string): void {
    // Wider than the terminal, it would wrap and could not be drawn over.
    this.#deps.output.write(`\r\x1b[K${line.slice(0, (this.#deps.output.columns ?? 80) - 1)}`)
    this.#hasLine = true
  }

  #clear(): void {
    if (this.#hasLine) this.#deps.output.write('\r\x1b[K')
    this.#hasLine = false
  }
}

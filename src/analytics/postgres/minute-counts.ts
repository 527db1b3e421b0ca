import { TextColumns } from './text-columns.ts'

const MINUTE_MS = 60_000
/** The most different keys of a batch. Codes of providers are few, so more are the texts of a misbehaving one. */
const MAX_KEYS = 10_000
/** The longest part of a key, in characters: keys are in an index. */
const MAX_PART = 200
const SEPARATOR = '\0'
/** The columns of COUNT_COLUMNS in store-batch.ts. */
const COLUMNS = 7

/** Counts events by minute, provider, type, platform, status and code. */
export class MinuteCounts {
  readonly #counts = new Map<string, number>()

  /** The number of different keys. */
  get size(): number {
    return this.#counts.size
  }

  /**
   * Counts an event.
   * @param parts provider, type, platform, status and code
   * @returns false if there is no room for another key
   */
  add(nowMs: number, parts: readonly string[], count = 1): boolean {
    const minuteMs = nowMs - (nowMs % MINUTE_MS)
    const key = `${minuteMs}${SEPARATOR}${parts.map((part) => part.slice(0, MAX_PART)).join(SEPARATOR)}`
    const before = this.#counts.get(key)
    if (before === undefined && this.#counts.size >= MAX_KEYS) return false
    this.#counts.set(key, (before ?? 0) + count)
    return true
  }

  /** Adds counts in the form of `join`. */
  addJoined(columns: readonly string[]): void {
    const rows = columns.map((column) => column.split('\n'))
    const [minutes = [], ...others] = rows
    const counts = others.pop() ?? []
    for (const [index, minuteMs] of minutes.entries()) {
      const parts = others.map((values) => values[index] ?? '')
      if (minuteMs !== '') this.add(Number(minuteMs), parts, Number(counts[index]))
    }
  }

  /** The text of each column. */
  join(): string[] {
    const columns = new TextColumns(COLUMNS)
    for (const [key, count] of this.#counts) columns.add([...key.split(SEPARATOR), String(count)])
    return columns.join()
  }
}

/** A character between values must not be in one, and PostgreSQL refuses NUL. */
const REPLACED = /[\n\0]/g

/**
 * Rows as one text for each column, with a line for each row. A statement takes them as one parameter for each column,
 * which costs a third of an array of values, and PostgreSQL splits them.
 */
export class TextColumns {
  readonly #columns: string[][]

  constructor(columns: number) {
    this.#columns = Array.from({ length: columns }, () => [])
  }

  /** The number of rows. */
  get rows(): number {
    return this.#columns[0]?.length ?? 0
  }

  /** Adds a row. Line feeds in values become spaces. */
  add(values: readonly string[]): void {
    const columns = this.#columns
    for (let index = 0; index < columns.length; index++) columns[index]?.push(clean(values[index] ?? ''))
  }

  /** The text of each column. */
  join(): string[] {
    return this.#columns.map((values) => values.join('\n'))
  }
}

function clean(value: string): string {
  return value.includes('\n') || value.includes('\0') ? value.replace(REPLACED, ' ') : value
}

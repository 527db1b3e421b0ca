// Reads rows of statements with `.raw()`: arrays of columns in their order, each as the bytes of its text, or null.
// They are used for rows with long texts: as strings, each would be a separate allocation in V8's heap.
import * as v from 'valibot'

/** A column as the bytes that PostgreSQL sent. */
export const bytes = v.instance(Buffer)

/** A column of any type as text, for example of an enumeration. */
export const text = v.pipe(
  bytes,
  v.transform((column) => column.toString()),
)

/** A column of an integer or float type as a number. A bigint beyond 2^53 would lose digits. */
export const number = v.pipe(text, v.transform(Number))

/** Rows of a statement with `.raw()`. */
type RawRows = Iterable<readonly (Buffer | null)[]> & { columns: readonly { name: string }[] }

/**
 * Calls `read` for each row of a statement with `.raw()`. `row` is valid only during the call of `read`. For rows that
 * are read thousands of times a second: a schema for each costs more than the statement.
 * @throws TypeError if a column does not have the type that `read` asks for
 */
export function readRows<T>(rows: RawRows, read: (row: RawRow) => T): T[] {
  const row = new RawRow(rows.columns.map(({ name }) => name))
  return Array.from(rows, (values) => read(row.moveTo(values)))
}

/** One row. Its columns are read by their names. */
export class RawRow {
  readonly #columns: ReadonlyMap<string, number>
  #values: readonly (Buffer | null)[] = []

  constructor(names: readonly string[]) {
    this.#columns = new Map(names.map((name, column) => [name, column]))
  }

  /** Replaces the values by those of another row. */
  moveTo(values: readonly (Buffer | null)[]): this {
    this.#values = values
    return this
  }

  /** A column as the bytes that PostgreSQL sent; undefined for null. */
  readBytes(name: string): Buffer | undefined {
    const column = this.#columns.get(name)
    const value = column === undefined ? undefined : this.#values[column]
    if (value === undefined) throw new TypeError(`database: the statement has no column ${name}`)
    return value ?? undefined
  }

  /** A `bytea` column, which PostgreSQL writes as `\x` and hexadecimal digits; undefined for null. */
  readBytea(name: string): Buffer | undefined {
    const value = this.readBytes(name)
    return value && Buffer.from(value.toString('latin1', 2), 'hex')
  }

  /** A column of any type as text; undefined for null. */
  readNullableText(name: string): string | undefined {
    return this.readBytes(name)?.toString()
  }

  /** A column of any type as text. */
  readText(name: string): string {
    const text = this.readNullableText(name)
    if (text === undefined) throw this.#refuse(name, 'a value')
    return text
  }

  /** A text that is one of `words`. */
  readWord<const Word extends string>(name: string, words: readonly Word[]): Word {
    const text = this.readText(name)
    const found = words.find((word) => word === text)
    if (found === undefined) throw this.#refuse(name, `one of ${words.join(', ')}`)
    return found
  }

  /** A column of an integer or float type; undefined for null. A bigint beyond 2^53 would lose digits. */
  readNullableNumber(name: string): number | undefined {
    const text = this.readNullableText(name)
    if (text === undefined) return undefined
    const value = Number(text)
    if (Number.isNaN(value)) throw this.#refuse(name, 'a number')
    return value
  }

  /** A column of an integer or float type. */
  readNumber(name: string): number {
    const value = this.readNullableNumber(name)
    if (value === undefined) throw this.#refuse(name, 'a number')
    return value
  }

  /** A `boolean` column, which PostgreSQL writes as `t` or `f`. */
  readBoolean(name: string): boolean {
    return this.readWord(name, ['t', 'f']) === 't'
  }

  #refuse(name: string, expected: string): TypeError {
    return new TypeError(`database: column ${name}: expected ${expected}`)
  }
}

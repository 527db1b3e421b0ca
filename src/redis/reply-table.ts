/**
 * Calls `read` for each row of a script's reply. The reply is a table: an array of rows after a header, which has the
 * names of the columns, separated by spaces, so that the names are not sent with each row. `row` is valid only
 * during the call of `read`.
 * @throws TypeError if the reply is not a table, or a value does not have the type that `read` asks for
 */
export function readTable<T>(reply: unknown, read: (row: ReplyRow) => T): T[] {
  if (!Array.isArray(reply) || !Buffer.isBuffer(reply[0])) throw new TypeError('redis: expected a table from a script')
  const row = new ReplyRow(reply[0].toString().split(' '))
  const rows: T[] = []
  for (let index = 1; index < reply.length; index++) rows.push(read(row.moveTo(reply[index])))
  return rows
}

/** One row of a table that a script returned. Its values are read by the names of the columns. */
export class ReplyRow {
  readonly #columns: ReadonlyMap<string, number>
  #values: readonly unknown[] = []

  constructor(names: readonly string[]) {
    this.#columns = new Map(names.map((name, column) => [name, column]))
  }

  /** Replaces the values by those of another row of the table. */
  moveTo(values: unknown): this {
    if (!Array.isArray(values)) throw new TypeError('redis: expected rows in the table from a script')
    this.#values = values
    return this
  }

  readBytes(name: string): Buffer {
    const value = this.#read(name)
    if (!Buffer.isBuffer(value)) throw this.#refuse(name, 'a string')
    return value
  }

  /** Reads bytes that may be null; undefined for null. */
  readNullableBytes(name: string): Buffer | undefined {
    return this.#read(name) === null ? undefined : this.readBytes(name)
  }

  readText(name: string): string {
    return this.readBytes(name).toString()
  }

  /** Reads a text that may be null; undefined for null. */
  readNullableText(name: string): string | undefined {
    return this.#read(name) === null ? undefined : this.readText(name)
  }

  /** Reads a text that is one of `words`. */
  readWord<const Word extends string>(name: string, words: readonly Word[]): Word {
    const text = this.readText(name)
    const found = words.find((word) => word === text)
    if (found === undefined) throw this.#refuse(name, `one of ${words.join(', ')}`)
    return found
  }

  /** Reads a number, or a text of digits as a number. */
  readNumber(name: string): number {
    const value = this.#read(name)
    const number = typeof value === 'number' ? value : Number(this.readText(name))
    if (Number.isNaN(number)) throw this.#refuse(name, 'a number')
    return number
  }

  /** Reads a number that may be null; undefined for null. */
  readNullableNumber(name: string): number | undefined {
    return this.#read(name) === null ? undefined : this.readNumber(name)
  }

  #read(name: string): unknown {
    const column = this.#columns.get(name)
    if (column === undefined) throw new TypeError(`redis: the table from a script has no column ${name}`)
    return this.#values[column]
  }

  #refuse(name: string, expected: string): TypeError {
    return new TypeError(`redis: column ${name} of the table from a script: expected ${expected}`)
  }
}

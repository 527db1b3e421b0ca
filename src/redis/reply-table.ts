/**
 * Calls `read` for each row of a table that a script returned: an array whose first element is a header with the
 * names of the columns, separated by spaces. The names are sent once, not with each row. `row` is valid during the
 * call only.
 * @throws TypeError when the reply is no table, or a value is not of the type that `read` asks for
 */
export function readTable<T>(reply: unknown, read: (row: ReplyRow) => T): T[] {
  if (!Array.isArray(reply) || !Buffer.isBuffer(reply[0])) throw new TypeError('redis: expected a table from a script')
  const row = new ReplyRow(reply[0].toString().split(' '))
  const rows: T[] = []
  for (let index = 1; index < reply.length; index++) rows.push(read(row.moveTo(reply[index])))
  return rows
}

/** The values of one row by the names of their columns. */
export class ReplyRow {
  readonly #columns: ReadonlyMap<string, number>
  #values: readonly unknown[] = []

  constructor(names: readonly string[]) {
    this.#columns = new Map(names.map((name, column) => [name, column]))
  }

  /** Takes another row's values. */
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

  readText(name: string): string {
    return this.readBytes(name).toString()
  }

  /** Undefined for null. */
  readNullableText(name: string): string | undefined {
    return this.#read(name) === null ? undefined : this.readText(name)
  }

  /** A value from a list. */
  readWord<const Word extends string>(name: string, words: readonly Word[]): Word {
    const text = this.readText(name)
    const found = words.find((word) => word === text)
    if (found === undefined) throw this.#refuse(name, `one of ${words.join(', ')}`)
    return found
  }

  /** A number, also one in digits. */
  readNumber(name: string): number {
    const value = this.#read(name)
    const number = typeof value === 'number' ? value : Number(this.readText(name))
    if (Number.isNaN(number)) throw this.#refuse(name, 'a number')
    return number
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

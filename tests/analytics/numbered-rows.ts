import type { CollectedRows } from '../../src/analytics/spool/growing-file.ts'
import type { SpoolRecord } from '../../src/analytics/spool/records.ts'

/** Rows that are a number and a text of some length each, for tests of the spool. */
export class NumberedRows implements CollectedRows {
  readonly #numbers: number[] = []
  #written = 0
  #taken = 0

  get rows(): number {
    return this.#numbers.length
  }

  add(number: number): void {
    this.#numbers.push(number)
  }

  takeUnwritten(): SpoolRecord | undefined {
    this.#taken = this.rows
    const unwritten = this.#numbers.slice(this.#written)
    if (unwritten.length === 0) return undefined
    return { rows: unwritten.length, bytes: Buffer.from(unwritten.map((number) => `${formatRow(number)}\n`).join('')) }
  }

  onWritten(): void {
    this.#written = this.#taken
  }
}

/** The numbers of the rows in records. */
export function readNumbers(records: readonly SpoolRecord[] = []): number[] {
  return records.flatMap(({ bytes }) => {
    const lines = Buffer.from(bytes).toString().split('\n').slice(0, -1)
    return lines.map((line) => {
      const number = Number.parseInt(line, 10)
      if (line !== formatRow(number)) throw new Error(`a damaged row: ${line}`)
      return number
    })
  })
}

function formatRow(number: number): string {
  return `${number} ${'x'.repeat(number % 5000)}`
}

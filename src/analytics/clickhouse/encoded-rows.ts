import type { CollectedRows } from '../spool/growing-file.ts'
import type { SpoolRecord } from '../spool/records.ts'
import { RowBuffer } from './row-buffer.ts'

/** The rows of a batch that is still collected, encoded. Their file in the spool has the same bytes. */
export class EncodedRows implements CollectedRows {
  readonly buffer: RowBuffer
  rows = 0
  #written = { rows: 0, bytes: 0 }
  #taken = this.#written

  /** @param capacity the bytes that are reserved at first */
  constructor(capacity?: number) {
    this.buffer = new RowBuffer(capacity)
  }

  takeUnwritten(): SpoolRecord | undefined {
    this.#taken = { rows: this.rows, bytes: this.buffer.size }
    if (this.rows === this.#written.rows) return undefined
    return { rows: this.rows - this.#written.rows, bytes: this.buffer.take(this.#written.bytes) }
  }

  onWritten(): void {
    this.#written = this.#taken
  }
}

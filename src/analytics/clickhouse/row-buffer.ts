// Encodes rows in ClickHouse's format RowBinary (https://clickhouse.com/docs/interfaces/formats/RowBinary): the values
// of a row follow each other without separators. Rows are encoded at once, because a row as an object would take four
// times the memory and work for the garbage collector.

/** The default capacity of a buffer, in bytes. It doubles when it is full. */
const FIRST_CAPACITY = 64 * 1024
/** UTF-8 needs at most three bytes for a unit of UTF-16. */
const MAX_BYTES_PER_UNIT = 3
/** A length is a LEB128 number, of one byte up to this length and of at most five bytes up to 4 GiB. */
const MAX_SHORT_LENGTH = 127
const MAX_LENGTH_BYTES = 5

/** A growing buffer of encoded values. */
export class RowBuffer {
  #bytes: Buffer
  #size = 0

  /** @param capacity the bytes that are reserved at first */
  constructor(capacity = FIRST_CAPACITY) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity)
  }

  /** The number of encoded bytes. */
  get size(): number {
    return this.#size
  }

  /** The bytes that are encoded so far, from an offset on. Appending more leaves them as they are. */
  take(from = 0): Buffer {
    return this.#bytes.subarray(from, this.#size)
  }

  /** Appends bytes that are encoded already. */
  appendBytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#size)
    this.#size += bytes.length
  }

  /** Appends a value of type `String`: its length in bytes, and its UTF-8 bytes. */
  appendString(value: string): void {
    this.#reserve(MAX_LENGTH_BYTES + value.length * MAX_BYTES_PER_UNIT)
    if (value.length <= MAX_SHORT_LENGTH && this.#appendAscii(value)) return
    this.#appendLength(Buffer.byteLength(value))
    this.#size += this.#bytes.write(value, this.#size)
  }

  /** Appends a value of type `DateTime`. @param seconds Unix time in seconds */
  appendDateTime(seconds: number): void {
    this.appendUInt32(seconds)
  }

  /** Appends a value of type `UInt16`. A larger one becomes the largest. */
  appendUInt16(value: number): void {
    this.#reserve(2)
    this.#size = this.#bytes.writeUInt16LE(Math.min(value, 0xffff), this.#size)
  }

  /** Appends a value of type `UInt32`. A larger one becomes the largest. */
  appendUInt32(value: number): void {
    this.#reserve(4)
    this.#size = this.#bytes.writeUInt32LE(Math.min(value, 0xffffffff), this.#size)
  }

  /**
   * Appends a short string if all of its characters are ASCII. This takes half the time of Buffer.write(). The caller
   * has reserved the space. @returns false if a character is not ASCII; then nothing was appended
   */
  #appendAscii(value: string): boolean {
    const bytes = this.#bytes
    const { length } = value
    let position = this.#size
    bytes[position++] = length
    for (let index = 0; index < length; index++) {
      const unit = value.charCodeAt(index)
      if (unit > 0x7f) return false
      bytes[position++] = unit
    }
    this.#size = position
    return true
  }

  #appendLength(length: number): void {
    let rest = length
    while (rest > 0x7f) {
      this.#bytes[this.#size++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.#size++] = rest
  }

  #reserve(count: number): void {
    const needed = this.#size + count
    if (needed <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(grown, 0, 0, this.#size)
    this.#bytes = grown
  }
}

// Reads a header block (RFC 7541) field by field. This client sends SETTINGS_HEADER_TABLE_SIZE 0, so the peer may use
// the static table and literals only. Names and values are decoded on demand, so skipped fields cost little.
import { ERROR } from '../frames/frame-constants.ts'
import { ProtocolViolation } from '../frames/protocol-violation.ts'
import { decodeHuffman } from './huffman.ts'
import { STATIC_TABLE } from './static-table.ts'

// Section 6: the first bits of a field select its representation.
const INDEXED = 0x80
const INCREMENTAL = 0x40
const TABLE_SIZE_UPDATE = 0x20
/** Section 5.2: the first bit of a string length. */
const HUFFMAN = 0x80
/** Limits integers to four bytes after the prefix: valid lengths and indices are smaller. */
const MAX_INTEGER_SHIFT = 21

const EMPTY = Buffer.alloc(0)

/** A reusable cursor over the fields of a header block. The current field is valid until the next `next`. */
export class FieldReader {
  #bytes: Buffer = EMPTY
  #at = 0
  #end = 0
  #isAtBlockStart = true
  /** Index of the name in the static table; 0 for a literal name. */
  nameIndex = 0
  /** Index of name and value in the static table; 0 for a literal value. */
  valueIndex = 0
  /** Size of the field for SETTINGS_MAX_HEADER_LIST_SIZE (RFC 9113 section 6.5.2), with strings as they were sent. */
  size = 0
  #isNameHuffman = false
  #nameFrom = 0
  #nameEnd = 0
  #isValueHuffman = false
  #valueFrom = 0
  #valueEnd = 0
  /** Whether the string of the last length is Huffman coded. */
  #isHuffman = false

  /** Begins with the block from `from` to `end`. The bytes must stay valid until its last field is read. */
  start(bytes: Buffer, from: number, end: number): void {
    this.#bytes = bytes
    this.#at = from
    this.#end = end
    this.#isAtBlockStart = true
  }

  /**
   * Advances to the next field; false at the end of the block. @throws ProtocolViolation when the block is not valid
   */
  next(): boolean {
    while (this.#at < this.#end) {
      const first = this.#bytes.readUInt8(this.#at)
      if (first & INDEXED) return this.#readIndexed()
      if ((first & 0xe0) === TABLE_SIZE_UPDATE) this.#readTableSize()
      // Literal with incremental indexing (6 bits of index), without or never indexed (4 bits). A table of size 0
      // stores none.
      else return this.#readLiteral(first & INCREMENTAL ? 0x3f : 0x0f)
    }
    return false
  }

  /** The name of the current field, case unchanged. @throws ProtocolViolation for an invalid Huffman code */
  name(): string {
    if (this.nameIndex > 0) return STATIC_TABLE[this.nameIndex]?.[0] ?? ''
    return this.#text(this.#isNameHuffman, this.#nameFrom, this.#nameEnd)
  }

  /** The value of the current field. @throws ProtocolViolation for an invalid Huffman code */
  value(): string {
    if (this.valueIndex > 0) return STATIC_TABLE[this.valueIndex]?.[1] ?? ''
    return this.#text(this.#isValueHuffman, this.#valueFrom, this.#valueEnd)
  }

  #readIndexed(): true {
    this.#isAtBlockStart = false
    const index = this.#readInteger(0x7f)
    if (index === 0 || index >= STATIC_TABLE.length) throw violation('index beyond the static table')
    this.nameIndex = index
    this.valueIndex = index
    this.size = 32
    return true
  }

  #readLiteral(indexMask: number): true {
    this.#isAtBlockStart = false
    const index = this.#readInteger(indexMask)
    if (index >= STATIC_TABLE.length) throw violation('index beyond the static table')
    this.nameIndex = index
    this.valueIndex = 0
    if (index === 0) {
      const length = this.#readStringLength()
      this.#isNameHuffman = this.#isHuffman
      this.#nameFrom = this.#at
      this.#at += length
      this.#nameEnd = this.#at
    }
    const length = this.#readStringLength()
    this.#isValueHuffman = this.#isHuffman
    this.#valueFrom = this.#at
    this.#at += length
    this.#valueEnd = this.#at
    this.size = 32 + length + (index === 0 ? this.#nameEnd - this.#nameFrom : 0)
    return true
  }

  /** Section 4.2: allowed at the start of a block only, and only with the size 0, the limit of this client. */
  #readTableSize(): void {
    if (!this.#isAtBlockStart) throw violation('table size update after a field')
    if (this.#readInteger(0x1f) > 0) throw violation('table size update above the limit')
  }

  #readStringLength(): number {
    if (this.#at >= this.#end) throw violation('field cut off')
    this.#isHuffman = (this.#bytes.readUInt8(this.#at) & HUFFMAN) !== 0
    const length = this.#readInteger(0x7f)
    if (length > this.#end - this.#at) throw violation('string cut off')
    return length
  }

  /** Section 5.1. `mask`: the bits of the integer in the first byte. */
  #readInteger(mask: number): number {
    let value = this.#bytes.readUInt8(this.#at++) & mask
    if (value < mask) return value
    for (let shift = 0; shift <= MAX_INTEGER_SHIFT; shift += 7) {
      if (this.#at >= this.#end) break
      const byte = this.#bytes.readUInt8(this.#at++)
      value += (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw violation('integer cut off or too large')
  }

  #text(isHuffman: boolean, from: number, end: number): string {
    if (!isHuffman) return this.#bytes.toString('latin1', from, end)
    const text = decodeHuffman(this.#bytes, from, end)
    if (text === undefined) throw violation('invalid Huffman code')
    return text
  }
}

function violation(message: string): ProtocolViolation {
  return new ProtocolViolation(ERROR.compressionError, message)
}

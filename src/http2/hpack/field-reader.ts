// Reads a header block (RFC 7541) field by field, without a dynamic table: our SETTINGS_HEADER_TABLE_SIZE is 0, so a
// peer may use the static table and literals only. Values are decoded when they are asked for.
import { ERROR } from '../frames/frame-constants.ts'
import { ProtocolViolation } from '../frames/protocol-violation.ts'
import { decodeHuffman } from './huffman.ts'
import { STATIC_TABLE } from './static-table.ts'

// Section 6: the first bits of a field tell its representation.
const INDEXED = 0x80
const INCREMENTAL = 0x40
const TABLE_SIZE_UPDATE = 0x20
/** Section 5.2: the first bit of a string's length. */
const HUFFMAN = 0x80
/** Lengths and indices that we could accept need no more than three bytes after the prefix. */
const MAX_INTEGER_SHIFT = 21

const EMPTY = Buffer.alloc(0)

export class FieldReader {
  #bytes: Buffer = EMPTY
  #at = 0
  #end = 0
  #mayResize = true
  /** The name's place in the static table; 0 where the name is a literal. */
  nameIndex = 0
  /** The place in the static table that has the value too; 0 where the value is a literal. */
  valueIndex = 0
  /** What the field counts against a header list's limit (RFC 9113 section 6.5.2), Huffman not undone. */
  size = 0
  #isNameHuffman = false
  #nameFrom = 0
  #nameEnd = 0
  #isValueHuffman = false
  #valueFrom = 0
  #valueEnd = 0
  /** Of the string whose length was read last. */
  #isHuffman = false

  /** Reads the block from `from` to `end`; nothing is kept of the bytes once the last field was read. */
  start(bytes: Buffer, from: number, end: number): void {
    this.#bytes = bytes
    this.#at = from
    this.#end = end
    this.#mayResize = true
  }

  /** Goes to the next field; false at the end. @throws ProtocolViolation where the block is not valid */
  next(): boolean {
    while (this.#at < this.#end) {
      const first = this.#bytes.readUInt8(this.#at)
      if (first & INDEXED) return this.#readIndexed()
      if ((first & 0xe0) === TABLE_SIZE_UPDATE) this.#readTableSize()
      // With incremental indexing (6 bits of index) or without or never (4 bits): a table of no size keeps none of them.
      else return this.#readLiteral(first & INCREMENTAL ? 0x3f : 0x0f)
    }
    return false
  }

  /** The name, in the case that it came in. @throws ProtocolViolation */
  name(): string {
    if (this.nameIndex > 0) return STATIC_TABLE[this.nameIndex]?.[0] ?? ''
    return this.#text(this.#isNameHuffman, this.#nameFrom, this.#nameEnd)
  }

  /** @throws ProtocolViolation */
  value(): string {
    if (this.valueIndex > 0) return STATIC_TABLE[this.valueIndex]?.[1] ?? ''
    return this.#text(this.#isValueHuffman, this.#valueFrom, this.#valueEnd)
  }

  #readIndexed(): true {
    this.#mayResize = false
    const index = this.#readInteger(0x7f)
    if (index === 0 || index >= STATIC_TABLE.length) throw violation('an index beyond the static table')
    this.nameIndex = index
    this.valueIndex = index
    this.size = 32
    return true
  }

  #readLiteral(indexMask: number): true {
    this.#mayResize = false
    const index = this.#readInteger(indexMask)
    if (index >= STATIC_TABLE.length) throw violation('an index beyond the static table')
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

  /** Section 4.2: only at the start of a block, and never above what we allow, which is nothing. */
  #readTableSize(): void {
    if (!this.#mayResize) throw violation('a table size update after a field')
    if (this.#readInteger(0x1f) > 0) throw violation('a dynamic table that was not allowed')
  }

  #readStringLength(): number {
    if (this.#at >= this.#end) throw violation('a field that is cut off')
    this.#isHuffman = (this.#bytes.readUInt8(this.#at) & HUFFMAN) !== 0
    const length = this.#readInteger(0x7f)
    if (length > this.#end - this.#at) throw violation('a string that is cut off')
    return length
  }

  /** Section 5.1. `mask`: the bits of the first byte that belong to the integer. */
  #readInteger(mask: number): number {
    let value = this.#bytes.readUInt8(this.#at++) & mask
    if (value < mask) return value
    for (let shift = 0; shift <= MAX_INTEGER_SHIFT; shift += 7) {
      if (this.#at >= this.#end) break
      const byte = this.#bytes.readUInt8(this.#at++)
      value += (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw violation('an integer that is cut off or too large')
  }

  #text(isHuffman: boolean, from: number, end: number): string {
    if (!isHuffman) return this.#bytes.toString('latin1', from, end)
    const text = decodeHuffman(this.#bytes, from, end)
    if (text === undefined) throw violation('a Huffman code that is not valid')
    return text
  }
}

function violation(what: string): ProtocolViolation {
  return new ProtocolViolation(ERROR.compressionError, what)
}

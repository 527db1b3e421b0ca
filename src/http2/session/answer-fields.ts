// What is read of an answer's header block: the status and the headers that the batch asked for. The rest is skipped
// undecoded.
import { FieldReader } from '../hpack/field-reader.ts'
import { STATIC_TABLE } from '../hpack/static-table.ts'

/** SETTINGS_MAX_HEADER_LIST_SIZE: push services answer in a few hundred bytes. */
export const MAX_HEADER_LIST_BYTES = 16 * 1024

/** `:status` stands here in the static table, first of its name; the statuses 200 to 500 follow. */
const STATUS_FIRST = 8
const STATUS_LAST = 14
const STATUSES: readonly number[] = STATIC_TABLE.map(([name, value]) => (name === ':status' ? Number(value) : 0))

/** The headers that a batch reads, by the places that an answer keeps them in. */
export class WantedHeaders {
  readonly names: readonly string[]
  readonly #placeByName: ReadonlyMap<string, number>
  readonly #placeByStaticIndex: readonly number[]

  constructor(names: readonly string[]) {
    this.names = names
    this.#placeByName = new Map(names.map((name, place) => [name, place]))
    this.#placeByStaticIndex = STATIC_TABLE.map(([name]) => this.#placeByName.get(name) ?? -1)
  }

  /** -1 for a header that nobody asked for. */
  placeOf(staticIndex: number, name: string | undefined): number {
    return (name === undefined ? this.#placeByStaticIndex[staticIndex] : this.#placeByName.get(name)) ?? -1
  }
}

/** Where an answer's fields go. */
export interface AnswerFields {
  status: number
  /** Keeps the first value of a wanted header. */
  keep(place: number, value: string): void
}

const reader = new FieldReader()

/**
 * Reads the header block of an answer. False where it is not one (RFC 9113 section 8.1.1 calls it malformed, which ends
 * the stream). @throws ProtocolViolation where the block can't be decoded, which ends the connection
 */
export function readAnswerFields(
  bytes: Buffer,
  from: number,
  end: number,
  wanted: WantedHeaders,
  into: AnswerFields,
): boolean {
  let isWellFormed = true
  let size = 0
  let status = 0
  let hasRegular = false
  reader.start(bytes, from, end)
  // The block is read to its end even when it is malformed: an error in its code would end the connection.
  while (reader.next()) {
    size += reader.size
    const name = reader.nameIndex === 0 ? reader.name() : undefined
    if (isStatus(reader.nameIndex, name)) {
      if (status !== 0 || hasRegular) isWellFormed = false
      status = readStatus()
      if (status === 0) isWellFormed = false
      continue
    }
    hasRegular = true
    if (isPseudo(reader.nameIndex, name) || (name !== undefined && !isFieldName(name))) isWellFormed = false
    const place = wanted.placeOf(reader.nameIndex, name)
    if (place >= 0) into.keep(place, reader.value())
  }
  into.status = status
  return isWellFormed && status !== 0 && size <= MAX_HEADER_LIST_BYTES
}

function isStatus(staticIndex: number, name: string | undefined): boolean {
  return name === undefined ? staticIndex >= STATUS_FIRST && staticIndex <= STATUS_LAST : name === ':status'
}

/** 0 where it is none. Only the seven commonest are in the static table: 410 comes as a literal, coded by Huffman. */
function readStatus(): number {
  if (reader.valueIndex > 0) return STATUSES[reader.valueIndex] ?? 0
  const text = reader.value()
  return /^[1-9]\d\d$/.test(text) ? Number(text) : 0
}

function isPseudo(staticIndex: number, name: string | undefined): boolean {
  return name === undefined ? staticIndex < STATUS_FIRST : name.startsWith(':')
}

/** Section 8.2.1: upper case, blanks and control characters are signs of smuggling. */
function isFieldName(name: string): boolean {
  return /^[!-@[-~]+$/.test(name)
}

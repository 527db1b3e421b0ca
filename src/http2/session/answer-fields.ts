// Reads the header block of an answer: the status and the headers named in `answerHeaders`. All other fields are
// skipped without decoding.
import { FieldReader } from '../hpack/field-reader.ts'
import { STATIC_TABLE } from '../hpack/static-table.ts'

/** SETTINGS_MAX_HEADER_LIST_SIZE: the header lists of push services have a few hundred bytes. */
export const MAX_HEADER_LIST_BYTES = 16 * 1024

/** First and last index of `:status` in the static table. The values are 200 to 500. */
const STATUS_FIRST = 8
const STATUS_LAST = 14
const STATUSES: readonly number[] = STATIC_TABLE.map(([name, value]) => (name === ':status' ? Number(value) : 0))

/** The headers that a batch reads. Each has a slot, the position of its name in `names`. */
export class WantedHeaders {
  /** Names in lower case. */
  readonly names: readonly string[]
  readonly #slotByName: ReadonlyMap<string, number>
  readonly #slotByStaticIndex: readonly number[]

  constructor(names: readonly string[]) {
    this.names = names
    this.#slotByName = new Map(names.map((name, slot) => [name, slot]))
    this.#slotByStaticIndex = STATIC_TABLE.map(([name]) => this.#slotByName.get(name) ?? -1)
  }

  /** The slot of a header, by its name or, when that is undefined, its static index; -1 for a header to skip. */
  slotOf(staticIndex: number, name: string | undefined): number {
    return (name === undefined ? this.#slotByStaticIndex[staticIndex] : this.#slotByName.get(name)) ?? -1
  }
}

/** Receives the fields of an answer. */
export interface AnswerFields {
  status: number
  /** Stores the value of a wanted header. The first value of a header wins. */
  setHeader(slot: number, value: string): void
}

const reader = new FieldReader()

/**
 * Reads the header block of an answer into `into`. False when it is malformed (RFC 9113 section 8.1.1), which ends the
 * stream. @throws ProtocolViolation when the block can't be decoded, which ends the connection
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
  // A malformed block is read to its end, too: a decoding error in it must end the connection.
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
    const slot = wanted.slotOf(reader.nameIndex, name)
    if (slot >= 0) into.setHeader(slot, reader.value())
  }
  into.status = status
  return isWellFormed && status !== 0 && size <= MAX_HEADER_LIST_BYTES
}

function isStatus(staticIndex: number, name: string | undefined): boolean {
  return name === undefined ? staticIndex >= STATUS_FIRST && staticIndex <= STATUS_LAST : name === ':status'
}

/** The status; 0 when it is invalid. Seven statuses are in the static table, others (410) are literals. */
function readStatus(): number {
  if (reader.valueIndex > 0) return STATUSES[reader.valueIndex] ?? 0
  const text = reader.value()
  return /^[1-9]\d\d$/.test(text) ? Number(text) : 0
}

function isPseudo(staticIndex: number, name: string | undefined): boolean {
  return name === undefined ? staticIndex < STATUS_FIRST : name.startsWith(':')
}

/** Section 8.2.1: names with upper case letters, spaces or control characters enable request smuggling. */
function isFieldName(name: string): boolean {
  return /^[!-@[-~]+$/.test(name)
}

// Writes the header blocks of requests (RFC 7541) without a dynamic table: fields of the static table by index, all
// others as literals without indexing and without Huffman coding. A block then depends on no state that could get lost.
import { ByteWriter, recycleChunk } from '../frames/byte-writer.ts'
import type { FieldWriter, HeaderFields } from '../http2-client.ts'
import { STATIC_INDEX, STATIC_TABLE } from './static-table.ts'

// Section 6: the first bits of each representation. The index follows: 7 bits after INDEXED, 4 after the others.
const INDEXED = 0x80
const WITHOUT_INDEXING = 0x00
const NEVER_INDEXED = 0x10
/** Credentials: never indexed, so that no proxy stores them in a table (section 7.1.3). */
const SENSITIVE = new Set(['authorization', 'cookie', 'proxy-authorization'])
/** Index of `:path` in the static table. */
const PATH_INDEX = 4
/** Fields that HTTP/2 forbids (RFC 9113 section 8.2.2), and `host`, which `:authority` replaces. */
const CONNECTION_SPECIFIC = new Set([
  'connection',
  'host',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])
/** Field names: tokens of RFC 9110 section 5.6.2 in lower case (RFC 9113 section 8.2). */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
/** RFC 9110 section 5.5: visible characters, with spaces and tabs between them. */
const VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/
const PATH = /^\/[\x21-\x7e]*$/
const METHOD = /^[A-Z]+$/

/** The request is not valid HTTP. The message names the invalid part and never quotes it. */
export class InvalidRequest extends Error {
  override readonly name = 'InvalidRequest'
}

/**
 * Encodes the fields that all requests of a batch share, pseudo-headers first. `path` is undefined when each request
 * has its own. @throws InvalidRequest
 */
export function encodeSharedFields(request: {
  method: string
  authority: string
  path: string | undefined
  headers: HeaderFields
}): Buffer {
  if (!METHOD.test(request.method)) throw new InvalidRequest('method')
  const out = new ByteWriter()
  if (request.path !== undefined) writePath(out, request.path)
  writeField(out, ':method', request.method)
  writeField(out, ':scheme', 'https')
  writeField(out, ':authority', request.authority)
  const fields = new RequestFieldWriter(out)
  for (const [name, value] of Object.entries(request.headers)) fields.field(name, value)
  const bytes = out.copyFrom(0)
  recycleChunk(out.take())
  return bytes
}

/**
 * Writes `:path` as never indexed: the path of Web Push and APNs contains the device's address. Pseudo-headers precede
 * regular fields (RFC 9113 section 8.3), so write it before the shared fields. @throws InvalidRequest
 */
export function writePath(out: ByteWriter, path: string): void {
  if (!PATH.test(path)) throw new InvalidRequest('path')
  out.uint8(NEVER_INDEXED | PATH_INDEX)
  writeString(out, path)
}

/** Writes regular fields of a request. */
export class RequestFieldWriter implements FieldWriter {
  readonly #out: ByteWriter

  constructor(out: ByteWriter) {
    this.#out = out
  }

  /** Writes a field with a name in lower case. @throws InvalidRequest for a name or value that HTTP/2 does not allow */
  field(name: string, value: string): void {
    if (!NAME.test(name) || CONNECTION_SPECIFIC.has(name)) throw new InvalidRequest('header name')
    if (!VALUE.test(value)) throw new InvalidRequest('header value')
    writeField(this.#out, name, value)
  }
}

function writeField(out: ByteWriter, name: string, value: string): void {
  const fieldIndex = STATIC_TABLE.findIndex((entry) => entry[0] === name && entry[1] === value && value !== '')
  if (fieldIndex > 0) {
    writeInteger(out, INDEXED, 0x7f, fieldIndex)
    return
  }
  const nameIndex = STATIC_INDEX.get(name) ?? 0
  writeInteger(out, SENSITIVE.has(name) ? NEVER_INDEXED : WITHOUT_INDEXING, 0x0f, nameIndex)
  if (nameIndex === 0) writeString(out, name)
  writeString(out, value)
}

function writeString(out: ByteWriter, text: string): void {
  writeInteger(out, 0, 0x7f, text.length)
  out.ascii(text)
}

/** Section 5.1. `pattern`: the bits before the integer in the first byte. `mask`: the bits of the integer in it. */
function writeInteger(out: ByteWriter, pattern: number, mask: number, value: number): void {
  if (value < mask) {
    out.uint8(pattern | value)
    return
  }
  out.uint8(pattern | mask)
  let rest = value - mask
  for (; rest >= 0x80; rest >>>= 7) out.uint8((rest & 0x7f) | 0x80)
  out.uint8(rest)
}

// Writes header blocks (RFC 7541) that need no table on either side: names of the static table by index, everything else
// as a literal that the peer does not keep, no Huffman.
import { ByteWriter, recycleChunk } from '../frames/byte-writer.ts'
import type { FieldWriter, HeaderFields } from '../http2-client.ts'
import { STATIC_INDEX, STATIC_TABLE } from './static-table.ts'

// Section 6: the bits before the index, of which there are 7 in the first and 4 in the others.
const INDEXED = 0x80
const WITHOUT_INDEXING = 0x00
const NEVER_INDEXED = 0x10
/** The token of a path is worth as much as the credential: no proxy may keep either in a table (section 7.1.3). */
const SENSITIVE = new Set(['authorization', 'cookie', 'proxy-authorization'])
/** `:path` in the static table. */
const PATH_INDEX = 4
/** RFC 9113 section 8.2.2: these belong to HTTP/1.1. */
const CONNECTION_SPECIFIC = new Set([
  'connection',
  'host',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
/** RFC 9110 section 5.5: visible characters with blanks and tabs between them. */
const VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/
const PATH = /^\/[\x21-\x7e]*$/
const METHOD = /^[A-Z]+$/

/** A request that can't be written as HTTP. Its text names the part, not what stands there. */
export class InvalidRequest extends Error {
  override readonly name = 'InvalidRequest'
}

/** The part of the block that the requests of a batch share. `path` is left out where each has its own. */
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

/** RFC 9113 section 8.3: pseudo-headers come first, so a request's own path precedes what it shares with others. */
export function writePath(out: ByteWriter, path: string): void {
  if (!PATH.test(path)) throw new InvalidRequest('path')
  out.uint8(NEVER_INDEXED | PATH_INDEX)
  writeString(out, path)
}

/** Writes the regular fields of a request, checked. */
export class RequestFieldWriter implements FieldWriter {
  readonly #out: ByteWriter

  constructor(out: ByteWriter) {
    this.#out = out
  }

  field(name: string, value: string): void {
    if (!NAME.test(name) || CONNECTION_SPECIFIC.has(name)) throw new InvalidRequest('header name')
    if (!VALUE.test(value)) throw new InvalidRequest('header value')
    writeField(this.#out, name, value)
  }
}

function writeField(out: ByteWriter, name: string, value: string): void {
  const whole = STATIC_TABLE.findIndex((entry) => entry[0] === name && entry[1] === value && value !== '')
  if (whole > 0) {
    writeInteger(out, INDEXED, 0x7f, whole)
    return
  }
  const index = STATIC_INDEX.get(name) ?? 0
  writeInteger(out, SENSITIVE.has(name) ? NEVER_INDEXED : WITHOUT_INDEXING, 0x0f, index)
  if (index === 0) writeString(out, name)
  writeString(out, value)
}

function writeString(out: ByteWriter, text: string): void {
  writeInteger(out, 0, 0x7f, text.length)
  out.ascii(text)
}

/** Section 5.1. `pattern`: the bits before the integer in its first byte; `mask`: those that are the integer's. */
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

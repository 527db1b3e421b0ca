// Header blocks: the examples of RFC 7541 Appendix C without a dynamic table, and the blocks of requests.

import { describe, expect, it } from 'vitest'
import { ByteWriter } from '../../src/http2/frames/byte-writer.ts'
import { FieldReader } from '../../src/http2/hpack/field-reader.ts'
import { encodeSharedFields, RequestFieldWriter, writePath } from '../../src/http2/hpack/field-writer.ts'
import { decodeHuffman } from '../../src/http2/hpack/huffman.ts'
import { readAnswerFields, WantedHeaders } from '../../src/http2/session/answer-fields.ts'
import { fc } from '../support/fast-check.ts'
import { encodeHuffman } from '../support/huffman-code.ts'

function readFields(block: Buffer): [string, string][] {
  const reader = new FieldReader()
  const fields: [string, string][] = []
  reader.start(block, 0, block.length)
  while (reader.next()) fields.push([reader.name(), reader.value()])
  return fields
}

const fromHex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

const REQUEST: [string, string][] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'www.example.com'],
]
const RESPONSE: [string, string][] = [
  [':status', '302'],
  ['cache-control', 'private'],
  ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
  ['location', 'https://www.example.com'],
]

describe('the examples of RFC 7541', () => {
  it.each<[string, string, [string, string][]]>([
    ['C.2.1', '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', [['custom-key', 'custom-header']]],
    ['C.2.2', '040c 2f73 616d 706c 652f 7061 7468', [[':path', '/sample/path']]],
    ['C.2.3', '1008 7061 7373 776f 7264 0673 6563 7265 74', [['password', 'secret']]],
    ['C.2.4', '82', [[':method', 'GET']]],
    ['C.3.1', '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', REQUEST],
    ['C.4.1', '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', REQUEST],
    [
      'C.5.1',
      '4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a' +
        ' 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      RESPONSE,
    ],
    [
      'C.6.1',
      '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81' +
        ' 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
      RESPONSE,
    ],
  ])('%s', (_section, hex, expected) => {
    expect(readFields(fromHex(hex))).toEqual(expected)
  })

  it.each([
    ['C.3.2', '8286 84be 5808 6e6f 2d63 6163 6865'],
    ['C.4.2', '8286 84be 5886 a8eb 1064 9cbf'],
    ['C.5.2', '4803 3330 37c1 c0bf'],
    ['C.6.2', '4883 640e ffc1 c0bf'],
  ])('%s is refused because it uses a dynamic table', (_section, hex) => {
    expect(() => readFields(fromHex(hex))).toThrow('static table')
  })

  it('C.1: integers of one and of several bytes', () => {
    const length = (size: number) =>
      readFields(Buffer.concat([fromHex('0001 78'), lengthOf(size), Buffer.alloc(size, 'v')]))
    for (const size of [0, 1, 126, 127, 128, 254, 255, 256, 1337, 16_000])
      expect(length(size)[0]?.[1].length).toBe(size)
  })
})

/** The length of a string without Huffman code. */
function lengthOf(size: number): Buffer {
  if (size < 127) return Buffer.from([size])
  const bytes = [127]
  let rest = size - 127
  for (; rest >= 128; rest >>= 7) bytes.push((rest & 127) | 128)
  return Buffer.from([...bytes, rest])
}

describe('Huffman code', () => {
  it('decodes every encoded text', () => {
    void fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const code = encodeHuffman(bytes)
        expect(decodeHuffman(code, 0, code.length)).toBe(Buffer.from(bytes).toString('latin1'))
      }),
    )
  })

  it('rejects every other sequence of bytes', () => {
    void fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const text = decodeHuffman(Buffer.from(bytes), 0, bytes.length)
        if (text !== undefined) expect(encodeHuffman(Buffer.from(text, 'latin1'))).toEqual(Buffer.from(bytes))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('the fields of an answer', () => {
  const into = () => {
    const kept: string[] = []
    return { status: 0, kept, setHeader: (slot: number, value: string) => kept.push(`${slot}=${value}`) }
  }

  it('contain every status, as text and in Huffman code', () => {
    for (let status = 100; status < 1000; status++) {
      const code = encodeHuffman(Buffer.from(String(status)))
      for (const value of [Buffer.concat([Buffer.from([0x80 | code.length]), code]), Buffer.from(`\x03${status}`)]) {
        const block = Buffer.concat([Buffer.from([0x08]), value])
        const answer = into()
        expect(readAnswerFields(block, 0, block.length, new WantedHeaders([]), answer)).toBe(true)
        expect(answer.status).toBe(status)
      }
    }
  })

  it('are the wanted ones, by index, by literal name and by Huffman-coded name', () => {
    const name = encodeHuffman(Buffer.from('apns-id'))
    const block = Buffer.concat([
      fromHex('88 0f26 0230 35'),
      Buffer.from([0x10, 0x80 | name.length]),
      name,
      Buffer.from('\x01x'),
      Buffer.from('\x00\x08x-unread\x01y'),
    ])
    const answer = into()
    expect(readAnswerFields(block, 0, block.length, new WantedHeaders(['retry-after', 'apns-id']), answer)).toBe(true)
    expect(answer.kept).toEqual(['0=05', '1=x'])
  })
})

describe('the fields of a request', () => {
  const shared = (headers: Record<string, string>, path?: string) =>
    encodeSharedFields({ method: 'POST', authority: 'push.example:8443', path, headers })

  it('begin with the pseudo-headers, the path first', () => {
    const out = new ByteWriter()
    writePath(out, '/3/device/abc')
    out.bytes(shared({ 'apns-topic': 'com.example', 'content-type': 'application/json' }))
    new RequestFieldWriter(out).field('apns-id', 'x')
    expect(readFields(out.take())).toEqual([
      [':path', '/3/device/abc'],
      [':method', 'POST'],
      [':scheme', 'https'],
      [':authority', 'push.example:8443'],
      ['apns-topic', 'com.example'],
      ['content-type', 'application/json'],
      ['apns-id', 'x'],
    ])
  })

  it('mark paths and credentials as never indexed', () => {
    const block = shared({ authorization: 'Bearer x' }, '/secret')
    // 0001xxxx: never indexed (RFC 7541 section 6.2.3), with the name indices 4 and 23.
    expect(block.subarray(0, 1)).toEqual(Buffer.from([0x14]))
    expect(block.includes(Buffer.from([0x1f, 23 - 15, 8, ...Buffer.from('Bearer x')]))).toBe(true)
  })

  it.each([
    ['a line break in a value', { a: 'b\r\nc: d' }],
    ['a value that begins with a space', { a: ' b' }],
    ['a character above one byte', { a: '☃' }],
    ['a name in upper case', { A: 'b' }],
    ['a pseudo-header', { ':path': '/' }],
    ['an empty name', { '': 'b' }],
    ['a header of HTTP/1.1', { connection: 'close' }],
  ])('refuse %s', (_what, headers) => {
    expect(() => shared(headers)).toThrow(/^header (name|value)$/)
  })

  it.each(['', 'x', '/a b', '/\r\n', '/ü', '/\x7f'])('refuse the path %j', (path) => {
    expect(() => shared({}, path)).toThrow('path')
  })
})

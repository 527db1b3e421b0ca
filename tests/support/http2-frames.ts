// HTTP/2 frames as bytes, for peers that send exact frames. Independent of src/http2, so that an error there is
// detected.

/** A received frame. */
export interface Frame {
  type: number
  flags: number
  streamId: number
  payload: Buffer
}

/** Frame types. */
export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  rst: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const
/** Frame flags. */
export const FLAGS = { end: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const
/** Error codes. */
export const CODE = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  streamClosed: 5,
  frameSize: 6,
  refused: 7,
  cancel: 8,
  compression: 9,
  calm: 11,
} as const

/** The bytes before a client's first frame. */
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

/** Any frame. */
export function frame(type: number, flags: number, streamId: number, payload: Uint8Array | string = ''): Buffer {
  const bytes = Buffer.from(payload)
  const header = Buffer.alloc(9)
  header.writeUIntBE(bytes.length, 0, 3)
  header.writeUInt8(type, 3)
  header.writeUInt8(flags, 4)
  header.writeUInt32BE(streamId, 5)
  return Buffer.concat([header, bytes])
}

/** 32-bit numbers in network byte order. */
export function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, index) => {
    bytes.writeUInt32BE(value >>> 0, index * 4)
  })
  return bytes
}

/** SETTINGS with pairs of a setting and its value. */
export function settings(...pairs: [setting: number, value: number][]): Buffer {
  const payload = pairs.map(([setting, value]) => Buffer.concat([Buffer.from([setting >> 8, setting]), uint32(value)]))
  return frame(TYPE.settings, 0, 0, Buffer.concat(payload))
}

/** A header field as a literal without indexing, with a literal name. */
export function literal(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ])
}

/** `:status` 200, indexed. */
export const OK = Buffer.from([0x88])

/** HEADERS. */
export function headers(streamId: number, block: Uint8Array = OK, flags: number = FLAGS.endHeaders): Buffer {
  return frame(TYPE.headers, flags, streamId, block)
}

/** DATA, with END_STREAM unless `flags` is given. */
export function data(streamId: number, body = '', flags: number = FLAGS.end): Buffer {
  return frame(TYPE.data, flags, streamId, body)
}

/** A complete answer: 200 and a body. */
export function answer(streamId: number, body = 'ok'): Buffer {
  return Buffer.concat([headers(streamId), data(streamId, body)])
}

/** RST_STREAM. */
export function rst(streamId: number, code: number): Buffer {
  return frame(TYPE.rst, 0, streamId, uint32(code))
}

/** GOAWAY. */
export function goaway(lastStreamId: number, code = 0): Buffer {
  return frame(TYPE.goaway, 0, 0, uint32(lastStreamId, code))
}

/** WINDOW_UPDATE. */
export function windowUpdate(streamId: number, bytes: number): Buffer {
  return frame(TYPE.window, 0, streamId, uint32(bytes))
}

/** PING. */
export function ping(text = '12345678', flags = 0): Buffer {
  return frame(TYPE.ping, flags, 0, text)
}

/** The complete frames at the start of the bytes, and their length in bytes. */
export function parseFrames(bytes: Buffer): { frames: Frame[]; length: number } {
  const frames: Frame[] = []
  let at = 0
  while (bytes.length - at >= 9) {
    const end = at + 9 + bytes.readUIntBE(at, 3)
    if (end > bytes.length) break
    frames.push({
      type: bytes.readUInt8(at + 3),
      flags: bytes.readUInt8(at + 4),
      streamId: bytes.readUInt32BE(at + 5),
      payload: Buffer.from(bytes.subarray(at + 9, end)),
    })
    at = end
  }
  return { frames, length: at }
}

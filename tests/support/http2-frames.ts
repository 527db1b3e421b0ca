// HTTP/2 frames as bytes, for peers that send exact sequences. The code does not use src/http2, so it cannot have the
// same mistake.

export interface Frame {
  type: number
  flags: number
  streamId: number
  payload: Buffer
}

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
export const FLAGS = { end: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const
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

/** The connection preface of a client (RFC 9113, section 3.4). */
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

export function frame(type: number, flags: number, streamId: number, payload: Uint8Array | string = ''): Buffer {
  const bytes = Buffer.from(payload)
  const header = Buffer.alloc(9)
  header.writeUIntBE(bytes.length, 0, 3)
  header.writeUInt8(type, 3)
  header.writeUInt8(flags, 4)
  header.writeUInt32BE(streamId, 5)
  return Buffer.concat([header, bytes])
}

export function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, index) => {
    bytes.writeUInt32BE(value >>> 0, index * 4)
  })
  return bytes
}

/** Pairs of a setting and its value. */
export function settings(...pairs: [setting: number, value: number][]): Buffer {
  const payload = pairs.map(([setting, value]) => Buffer.concat([Buffer.from([setting >> 8, setting]), uint32(value)]))
  return frame(TYPE.settings, 0, 0, Buffer.concat(payload))
}

/** A header field as a literal that is not indexed, with a new name. */
export function literal(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ])
}

/** `:status` 200 by its index in the static table. */
export const OK = Buffer.from([0x88])

export function headers(streamId: number, block: Uint8Array = OK, flags: number = FLAGS.endHeaders): Buffer {
  return frame(TYPE.headers, flags, streamId, block)
}

export function data(streamId: number, body = '', flags: number = FLAGS.end): Buffer {
  return frame(TYPE.data, flags, streamId, body)
}

/** A complete answer: 200 and a body. */
export function answer(streamId: number, body = 'ok'): Buffer {
  return Buffer.concat([headers(streamId), data(streamId, body)])
}

export function rst(streamId: number, code: number): Buffer {
  return frame(TYPE.rst, 0, streamId, uint32(code))
}

export function goaway(lastStreamId: number, code = 0): Buffer {
  return frame(TYPE.goaway, 0, 0, uint32(lastStreamId, code))
}

export function windowUpdate(streamId: number, bytes: number): Buffer {
  return frame(TYPE.window, 0, streamId, uint32(bytes))
}

export function ping(text = '12345678', flags = 0): Buffer {
  return frame(TYPE.ping, flags, 0, text)
}

/** The complete frames at the start of `bytes`, and their length in bytes. */
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

// The frames that carry no request.
import type { ByteWriter } from './byte-writer.ts'
import { FLAG, FRAME } from './frame-constants.ts'

/** RFC 9113 section 3.4. */
export function writePreface(out: ByteWriter): void {
  out.ascii('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
}

export function writeSettings(out: ByteWriter, settings: readonly (readonly [setting: number, value: number])[]): void {
  const start = out.beginFrame()
  for (const [setting, value] of settings) {
    out.uint8(setting >>> 8)
    out.uint8(setting)
    out.uint32(value)
  }
  out.endFrame(start, FRAME.settings, 0, 0)
}

export function writeSettingsAck(out: ByteWriter): void {
  out.endFrame(out.beginFrame(), FRAME.settings, FLAG.ack, 0)
}

/** `data`: 8 bytes. */
export function writePing(out: ByteWriter, flags: number, data: Uint8Array): void {
  const start = out.beginFrame()
  out.bytes(data)
  out.endFrame(start, FRAME.ping, flags, 0)
}

/** A client's last stream id is about pushes, which there are none of. */
export function writeGoaway(out: ByteWriter, code: number): void {
  const start = out.beginFrame()
  out.uint32(0)
  out.uint32(code)
  out.endFrame(start, FRAME.goaway, 0, 0)
}

export function writeRstStream(out: ByteWriter, streamId: number, code: number): void {
  const start = out.beginFrame()
  out.uint32(code)
  out.endFrame(start, FRAME.rstStream, 0, streamId)
}

export function writeWindowUpdate(out: ByteWriter, streamId: number, bytes: number): void {
  const start = out.beginFrame()
  out.uint32(bytes)
  out.endFrame(start, FRAME.windowUpdate, 0, streamId)
}

// Writes the frames that carry no request (RFC 9113 section 6).
import type { ByteWriter } from './byte-writer.ts'
import { FLAG, FRAME } from './frame-constants.ts'

/** Writes the first bytes of every client connection (RFC 9113 section 3.4). SETTINGS must follow. */
export function writePreface(out: ByteWriter): void {
  out.ascii('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
}

/** Writes a SETTINGS frame (section 6.5). */
export function writeSettings(out: ByteWriter, settings: readonly (readonly [setting: number, value: number])[]): void {
  const start = out.beginFrame()
  for (const [setting, value] of settings) {
    out.uint8(setting >>> 8)
    out.uint8(setting)
    out.uint32(value)
  }
  out.endFrame(start, FRAME.settings, 0, 0)
}

/** Acknowledges the peer's SETTINGS (section 6.5.3). */
export function writeSettingsAck(out: ByteWriter): void {
  out.endFrame(out.beginFrame(), FRAME.settings, FLAG.ack, 0)
}

/** Writes a PING frame (section 6.7). `data` must have 8 bytes. */
export function writePing(out: ByteWriter, flags: number, data: Uint8Array): void {
  const start = out.beginFrame()
  out.bytes(data)
  out.endFrame(start, FRAME.ping, flags, 0)
}

/** Writes a GOAWAY frame (section 6.8). The last stream id is 0 because the peer opens no streams: push is disabled. */
export function writeGoaway(out: ByteWriter, code: number): void {
  const start = out.beginFrame()
  out.uint32(0)
  out.uint32(code)
  out.endFrame(start, FRAME.goaway, 0, 0)
}

/** Writes a RST_STREAM frame (section 6.4). */
export function writeRstStream(out: ByteWriter, streamId: number, code: number): void {
  const start = out.beginFrame()
  out.uint32(code)
  out.endFrame(start, FRAME.rstStream, 0, streamId)
}

/** Writes a WINDOW_UPDATE frame (section 6.9). Stream 0 is the connection. */
export function writeWindowUpdate(out: ByteWriter, streamId: number, bytes: number): void {
  const start = out.beginFrame()
  out.uint32(bytes)
  out.endFrame(start, FRAME.windowUpdate, 0, streamId)
}

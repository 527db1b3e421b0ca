// From a connection's bytes to frames with a meaning: what RFC 9113 section 6 says of each frame's form is checked here,
// padding and priorities are taken off, header blocks are put together. What a frame means is the session's affair.
import { ERROR, FLAG, FRAME } from './frame-constants.ts'
import { FrameReader } from './frame-reader.ts'
import { HeaderAssembly } from './header-block-assembly.ts'
import { ProtocolViolation } from './protocol-violation.ts'

/** Bytes are valid during the call only. Handlers may throw a ProtocolViolation. */
export interface FrameHandlers {
  /** `flowBytes`: what the frame counts for flow control, padding included. */
  onData(streamId: number, bytes: Buffer, from: number, end: number, flowBytes: number, isLast: boolean): void
  onHeaderBlock(streamId: number, bytes: Buffer, from: number, end: number, isLast: boolean): void
  onReset(streamId: number, code: number): void
  onSettings(bytes: Buffer, from: number, end: number): void
  onSettingsAck(): void
  onPing(data: Buffer): void
  onPingAck(): void
  onGoaway(lastStreamId: number, code: number): void
  onWindowUpdate(streamId: number, bytes: number): void
  /** A PRIORITY frame, which means nothing any more. */
  onPriority(streamId: number, isWellFormed: boolean): void
  /** A frame that means nothing to us: of an unknown type, or a CONTINUATION with nothing in it. */
  onIdleFrame(): void
}

const PING_BYTES = 8
const PRIORITY_BYTES = 5

export class IncomingFrames {
  readonly #handlers: FrameHandlers
  readonly #reader = new FrameReader({ onFrame: this.#onFrame.bind(this) })
  readonly #assembly = new HeaderAssembly()
  #isGreeted = false

  constructor(deps: { handlers: FrameHandlers }) {
    this.#handlers = deps.handlers
  }

  /** Takes the next bytes of the connection. @throws ProtocolViolation */
  read(chunk: Buffer): void {
    this.#reader.read(chunk)
  }

  #onFrame(type: number, flags: number, streamId: number, bytes: Buffer, from: number, end: number): void {
    // Section 3.4: a server's first frame is SETTINGS.
    if (!this.#isGreeted && (type !== FRAME.settings || flags & FLAG.ack)) throw violation('no SETTINGS to begin with')
    this.#isGreeted = true
    // Section 6.10: nothing may come between the parts of a header block.
    if (this.#assembly.isOpen && type !== FRAME.continuation) throw violation('a header block that was not finished')
    switch (type) {
      case FRAME.data:
        this.#onData(flags, streamId, bytes, from, end)
        return
      case FRAME.headers:
        this.#onHeaders(flags, streamId, bytes, from, end)
        return
      case FRAME.continuation:
        this.#onContinuation(flags, streamId, bytes, from, end)
        return
      case FRAME.rstStream:
        requireStream(streamId)
        requireLength(end - from, 4)
        this.#handlers.onReset(streamId, bytes.readUInt32BE(from))
        return
      case FRAME.windowUpdate:
        requireLength(end - from, 4)
        this.#handlers.onWindowUpdate(streamId, bytes.readUInt32BE(from) & 0x7fff_ffff)
        return
      case FRAME.pushPromise:
        // Section 8.4: we said ENABLE_PUSH 0.
        throw violation('a push that was not allowed')
      case FRAME.priority:
        requireStream(streamId)
        this.#handlers.onPriority(streamId, end - from === PRIORITY_BYTES)
        return
      default:
        this.#onConnectionFrame(type, flags, streamId, bytes, from, end)
    }
  }

  #onConnectionFrame(type: number, flags: number, streamId: number, bytes: Buffer, from: number, end: number): void {
    if (type !== FRAME.settings && type !== FRAME.ping && type !== FRAME.goaway) {
      this.#handlers.onIdleFrame()
      return
    }
    if (streamId !== 0) throw violation('a frame for the connection on a stream')
    if (type === FRAME.goaway) this.#onGoaway(bytes, from, end)
    else if (type === FRAME.ping) this.#onPing(flags, bytes, from, end)
    else this.#onSettings(flags, bytes, from, end)
  }

  #onPing(flags: number, bytes: Buffer, from: number, end: number): void {
    requireLength(end - from, PING_BYTES)
    if (flags & FLAG.ack) this.#handlers.onPingAck()
    else this.#handlers.onPing(bytes.subarray(from, end))
  }

  #onSettings(flags: number, bytes: Buffer, from: number, end: number): void {
    if (flags & FLAG.ack) {
      requireLength(end - from, 0)
      this.#handlers.onSettingsAck()
    } else this.#handlers.onSettings(bytes, from, end)
  }

  #onGoaway(bytes: Buffer, from: number, end: number): void {
    // What follows the code is for people to debug with. It is not kept.
    if (end - from < 8) throw new ProtocolViolation(ERROR.frameSizeError, 'a GOAWAY that is cut off')
    this.#handlers.onGoaway(bytes.readUInt32BE(from) & 0x7fff_ffff, bytes.readUInt32BE(from + 4))
  }

  #onData(flags: number, streamId: number, bytes: Buffer, from: number, end: number): void {
    requireStream(streamId)
    const padding = flags & FLAG.padded ? readPadding(bytes, from, end) : 0
    const start = flags & FLAG.padded ? from + 1 : from
    this.#handlers.onData(streamId, bytes, start, end - padding, end - from, (flags & FLAG.endStream) !== 0)
  }

  #onHeaders(flags: number, streamId: number, bytes: Buffer, from: number, end: number): void {
    requireStream(streamId)
    const padding = flags & FLAG.padded ? readPadding(bytes, from, end) : 0
    const start = from + (flags & FLAG.padded ? 1 : 0) + (flags & FLAG.priority ? PRIORITY_BYTES : 0)
    if (start > end - padding) throw violation('HEADERS shorter than their padding')
    const isLast = (flags & FLAG.endStream) !== 0
    if (flags & FLAG.endHeaders) this.#handlers.onHeaderBlock(streamId, bytes, start, end - padding, isLast)
    else this.#assembly.open(streamId, isLast, bytes.subarray(start, end - padding))
  }

  #onContinuation(flags: number, streamId: number, bytes: Buffer, from: number, end: number): void {
    const assembly = this.#assembly
    if (!assembly.isOpen || assembly.streamId !== streamId) throw violation('a CONTINUATION of nothing')
    if (from === end) this.#handlers.onIdleFrame()
    assembly.add(bytes.subarray(from, end))
    if ((flags & FLAG.endHeaders) === 0) return
    const block = assembly.close()
    this.#handlers.onHeaderBlock(streamId, block, 0, block.length, assembly.isLast)
  }
}

/** Sections 6.1 and 6.2: padding must leave room for the byte that says how long it is. */
function readPadding(bytes: Buffer, from: number, end: number): number {
  if (from === end) throw new ProtocolViolation(ERROR.frameSizeError, 'a padded frame with nothing in it')
  const padding = bytes.readUInt8(from)
  if (padding >= end - from) throw violation('padding longer than its frame')
  return padding
}

function requireStream(streamId: number): void {
  if (streamId === 0) throw violation('a frame for a stream on the connection')
}

function requireLength(length: number, expected: number): void {
  if (length !== expected) throw new ProtocolViolation(ERROR.frameSizeError, 'a frame of the wrong size')
}

function violation(what: string): ProtocolViolation {
  return new ProtocolViolation(ERROR.protocolError, what)
}

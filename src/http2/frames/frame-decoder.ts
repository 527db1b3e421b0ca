// Decodes the received bytes of a connection into frames. Checks the form of each frame (RFC 9113 section 6), removes
// padding and priorities, and joins split header blocks. The session decides the effect of each frame.
import { ERROR, FLAG, FRAME } from './frame-constants.ts'
import { FrameReader } from './frame-reader.ts'
import { HeaderBlockAssembly } from './header-block-assembly.ts'
import { ProtocolViolation } from './protocol-violation.ts'

/** Receives the frames of answers. Buffers are valid during the call only. Handlers may throw a ProtocolViolation. */
export interface AnswerHandlers {
  /** `flowBytes`: size of the frame in flow control, padding included. `isLast`: END_STREAM. */
  onData(streamId: number, bytes: Buffer, from: number, end: number, flowBytes: number, isLast: boolean): void
  /** A complete header block. `isLast`: END_STREAM. */
  onHeaderBlock(streamId: number, bytes: Buffer, from: number, end: number, isLast: boolean): void
  /** RST_STREAM. */
  onReset(streamId: number, code: number): void
}

/** Receives all other frames, under the same rules. */
export interface ControlHandlers {
  /** The payload of a SETTINGS frame. */
  onSettings(bytes: Buffer, from: number, end: number): void
  onSettingsAck(): void
  /** PING; `data` must be sent back. */
  onPing(data: Buffer): void
  onPingAck(): void
  onGoaway(lastStreamId: number, code: number): void
  /** WINDOW_UPDATE; stream 0 is the connection. */
  onWindowUpdate(streamId: number, bytes: number): void
  /** PRIORITY, which RFC 9113 section 5.3.2 deprecates. */
  onPriority(streamId: number, isWellFormed: boolean): void
  /** A frame without effect: of an unknown type, or an empty CONTINUATION. */
  onIgnoredFrame(): void
}

const PING_BYTES = 8
const PRIORITY_BYTES = 5

/** Decodes the frames that one connection receives, and calls a handler for each. */
export class FrameDecoder {
  readonly #answers: AnswerHandlers
  readonly #control: ControlHandlers
  readonly #reader = new FrameReader({ onFrame: this.#onFrame.bind(this) })
  readonly #assembly = new HeaderBlockAssembly()
  #hasSettings = false

  constructor(deps: { answers: AnswerHandlers; control: ControlHandlers }) {
    this.#answers = deps.answers
    this.#control = deps.control
  }

  /** Reads the next bytes of the connection. The chunk may be reused after the call. @throws ProtocolViolation */
  read(chunk: Buffer): void {
    this.#reader.read(chunk)
  }

  #onFrame(type: number, flags: number, streamId: number, bytes: Buffer, from: number, end: number): void {
    // Section 3.4: the first frame of a server must be SETTINGS.
    if (!this.#hasSettings && (type !== FRAME.settings || flags & FLAG.ack))
      throw violation('first frame is not SETTINGS')
    this.#hasSettings = true
    // Section 6.10: no other frame may interrupt a header block.
    if (this.#assembly.isOpen && type !== FRAME.continuation)
      throw violation('header block interrupted by another frame')
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
        this.#answers.onReset(streamId, bytes.readUInt32BE(from))
        return
      case FRAME.windowUpdate:
        requireLength(end - from, 4)
        this.#control.onWindowUpdate(streamId, bytes.readUInt32BE(from) & 0x7fff_ffff)
        return
      case FRAME.pushPromise:
        // Section 8.4: this client sends SETTINGS_ENABLE_PUSH 0.
        throw violation('PUSH_PROMISE although push is disabled')
      case FRAME.priority:
        requireStream(streamId)
        this.#control.onPriority(streamId, end - from === PRIORITY_BYTES)
        return
      default:
        this.#onConnectionFrame(type, flags, streamId, bytes, from, end)
    }
  }

  #onConnectionFrame(type: number, flags: number, streamId: number, bytes: Buffer, from: number, end: number): void {
    if (type !== FRAME.settings && type !== FRAME.ping && type !== FRAME.goaway) {
      this.#control.onIgnoredFrame()
      return
    }
    if (streamId !== 0) throw violation('connection frame on a stream')
    if (type === FRAME.goaway) this.#onGoaway(bytes, from, end)
    else if (type === FRAME.ping) this.#onPing(flags, bytes, from, end)
    else this.#onSettings(flags, bytes, from, end)
  }

  #onPing(flags: number, bytes: Buffer, from: number, end: number): void {
    requireLength(end - from, PING_BYTES)
    if (flags & FLAG.ack) this.#control.onPingAck()
    else this.#control.onPing(bytes.subarray(from, end))
  }

  #onSettings(flags: number, bytes: Buffer, from: number, end: number): void {
    if (flags & FLAG.ack) {
      requireLength(end - from, 0)
      this.#control.onSettingsAck()
    } else this.#control.onSettings(bytes, from, end)
  }

  #onGoaway(bytes: Buffer, from: number, end: number): void {
    // The debug data after the error code is ignored.
    if (end - from < 8) throw new ProtocolViolation(ERROR.frameSizeError, 'GOAWAY too short')
    this.#control.onGoaway(bytes.readUInt32BE(from) & 0x7fff_ffff, bytes.readUInt32BE(from + 4))
  }

  #onData(flags: number, streamId: number, bytes: Buffer, from: number, end: number): void {
    requireStream(streamId)
    const padding = flags & FLAG.padded ? readPadding(bytes, from, end) : 0
    const start = flags & FLAG.padded ? from + 1 : from
    this.#answers.onData(streamId, bytes, start, end - padding, end - from, (flags & FLAG.endStream) !== 0)
  }

  #onHeaders(flags: number, streamId: number, bytes: Buffer, from: number, end: number): void {
    requireStream(streamId)
    const padding = flags & FLAG.padded ? readPadding(bytes, from, end) : 0
    const start = from + (flags & FLAG.padded ? 1 : 0) + (flags & FLAG.priority ? PRIORITY_BYTES : 0)
    if (start > end - padding) throw violation('HEADERS shorter than their padding')
    const isLast = (flags & FLAG.endStream) !== 0
    if (flags & FLAG.endHeaders) this.#answers.onHeaderBlock(streamId, bytes, start, end - padding, isLast)
    else this.#assembly.open(streamId, isLast, bytes.subarray(start, end - padding))
  }

  #onContinuation(flags: number, streamId: number, bytes: Buffer, from: number, end: number): void {
    const assembly = this.#assembly
    if (!assembly.isOpen || assembly.streamId !== streamId) throw violation('CONTINUATION without HEADERS')
    if (from === end) this.#control.onIgnoredFrame()
    assembly.add(bytes.subarray(from, end))
    if ((flags & FLAG.endHeaders) === 0) return
    const block = assembly.close()
    this.#answers.onHeaderBlock(streamId, block, 0, block.length, assembly.isLast)
  }
}

/** Returns the length of the padding. It must be shorter than the payload (sections 6.1 and 6.2). */
function readPadding(bytes: Buffer, from: number, end: number): number {
  if (from === end) throw new ProtocolViolation(ERROR.frameSizeError, 'padded frame without a padding length')
  const padding = bytes.readUInt8(from)
  if (padding >= end - from) throw violation('padding longer than its frame')
  return padding
}

function requireStream(streamId: number): void {
  if (streamId === 0) throw violation('stream frame without a stream id')
}

function requireLength(length: number, expected: number): void {
  if (length !== expected) throw new ProtocolViolation(ERROR.frameSizeError, 'frame of the wrong size')
}

function violation(message: string): ProtocolViolation {
  return new ProtocolViolation(ERROR.protocolError, message)
}

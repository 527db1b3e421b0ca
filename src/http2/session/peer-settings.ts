import { DEFAULT_MAX_FRAME_BYTES, DEFAULT_WINDOW_BYTES, ERROR, MAX_INT31, SETTING } from '../frames/frame-constants.ts'
import { ProtocolViolation } from '../frames/protocol-violation.ts'

const SETTING_BYTES = 6
const DEFAULT_TABLE_BYTES = 4096
/** Largest value of SETTINGS_MAX_FRAME_SIZE (RFC 9113 section 4.2). */
const MAX_FRAME_BYTES = 0xff_ffff

/** The limits in the peer's SETTINGS (RFC 9113 section 6.5.2). The peer may change them at any time. */
export class PeerSettings {
  /** Streams that the peer allows; unlimited until it sends a value. */
  maxConcurrentStreams = MAX_INT31
  /** Initial send window of a stream. */
  initialWindowBytes = DEFAULT_WINDOW_BYTES
  /** Largest payload of a frame that the peer accepts. */
  maxFrameBytes = DEFAULT_MAX_FRAME_BYTES
  /** The peer reduced its table: the next header block must begin with a table size update (RFC 7541 section 4.2). */
  isTableUpdateDue = false
  #tableBytes = DEFAULT_TABLE_BYTES

  /** Applies the payload of a SETTINGS frame. @throws ProtocolViolation for an invalid value or length */
  read(bytes: Buffer, from: number, end: number): void {
    if ((end - from) % SETTING_BYTES !== 0) throw new ProtocolViolation(ERROR.frameSizeError, 'SETTINGS cut off')
    for (let at = from; at < end; at += SETTING_BYTES) this.#apply(bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2))
  }

  #apply(setting: number, value: number): void {
    switch (setting) {
      case SETTING.headerTableSize:
        if (value < this.#tableBytes) this.isTableUpdateDue = true
        this.#tableBytes = value
        return
      case SETTING.enablePush:
        // Section 6.5.2: a server must not enable push.
        if (value !== 0) throw new ProtocolViolation(ERROR.protocolError, 'server sent SETTINGS_ENABLE_PUSH 1')
        return
      case SETTING.maxConcurrentStreams:
        this.maxConcurrentStreams = value
        return
      case SETTING.initialWindowSize:
        if (value > MAX_INT31) throw new ProtocolViolation(ERROR.flowControlError, 'initial window too large')
        this.initialWindowBytes = value
        return
      case SETTING.maxFrameSize:
        if (value < DEFAULT_MAX_FRAME_BYTES || value > MAX_FRAME_BYTES)
          throw new ProtocolViolation(ERROR.protocolError, 'SETTINGS_MAX_FRAME_SIZE out of range')
        this.maxFrameBytes = value
        return
      default:
      // Section 6.5.2: unknown settings are ignored. So is SETTINGS_MAX_HEADER_LIST_SIZE: requests here have small
      // headers.
    }
  }
}

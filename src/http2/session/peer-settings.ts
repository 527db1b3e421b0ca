import { DEFAULT_MAX_FRAME_BYTES, DEFAULT_WINDOW_BYTES, ERROR, MAX_INT31, SETTING } from '../frames/frame-constants.ts'
import { ProtocolViolation } from '../frames/protocol-violation.ts'

const SETTING_BYTES = 6
const DEFAULT_TABLE_BYTES = 4096
/** RFC 9113 section 4.2. */
const MAX_FRAME_BYTES = 0xff_ffff

/** What the peer allows us, as its SETTINGS say (RFC 9113 section 6.5.2). They may change at any time. */
export class PeerSettings {
  /** No limit until the peer names one. */
  maxConcurrentStreams = MAX_INT31
  initialWindowBytes = DEFAULT_WINDOW_BYTES
  maxFrameBytes = DEFAULT_MAX_FRAME_BYTES
  /** The peer made its table smaller: the next header block has to say that we follow (RFC 7541 section 4.2). */
  isTableUpdateDue = false
  #tableBytes = DEFAULT_TABLE_BYTES

  /** Takes the payload of a SETTINGS frame. @throws ProtocolViolation */
  read(bytes: Buffer, from: number, end: number): void {
    if ((end - from) % SETTING_BYTES !== 0) throw new ProtocolViolation(ERROR.frameSizeError, 'SETTINGS are cut off')
    for (let at = from; at < end; at += SETTING_BYTES) this.#apply(bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2))
  }

  #apply(setting: number, value: number): void {
    switch (setting) {
      case SETTING.headerTableSize:
        if (value < this.#tableBytes) this.isTableUpdateDue = true
        this.#tableBytes = value
        return
      case SETTING.enablePush:
        // Only a client may allow pushes.
        if (value !== 0) throw new ProtocolViolation(ERROR.protocolError, 'a server that asks for pushes')
        return
      case SETTING.maxConcurrentStreams:
        this.maxConcurrentStreams = value
        return
      case SETTING.initialWindowSize:
        if (value > MAX_INT31) throw new ProtocolViolation(ERROR.flowControlError, 'an initial window too large')
        this.initialWindowBytes = value
        return
      case SETTING.maxFrameSize:
        if (value < DEFAULT_MAX_FRAME_BYTES || value > MAX_FRAME_BYTES)
          throw new ProtocolViolation(ERROR.protocolError, 'a frame size that is not allowed')
        this.maxFrameBytes = value
        return
      default:
      // Unknown settings are ignored, and what the peer's header lists may be at most we are far from.
    }
  }
}

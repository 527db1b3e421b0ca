// Constants of RFC 9113. The names are those of the RFC.

/** Bytes of a frame header: length (3), type (1), flags (1), stream id (4). */
export const FRAME_HEADER_BYTES = 9
/** Every peer accepts frames of this size (section 4.2). Also the largest frame accepted here: answers are small. */
export const DEFAULT_MAX_FRAME_BYTES = 16_384
/** Initial flow-control window of a connection and, before SETTINGS, of a stream (section 6.9.2). */
export const DEFAULT_WINDOW_BYTES = 65_535
/** Largest window, stream id and last stream id of a GOAWAY. */
export const MAX_INT31 = 0x7fff_ffff

/** Frame types (section 6). */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

/** Frame flags. ACK (SETTINGS, PING) and END_STREAM (DATA, HEADERS) are the same bit. */
export const FLAG = { ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 32 } as const

/** Settings (section 6.5.2). */
export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const

/** Error codes (section 7). */
export const ERROR = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const

// The numbers of RFC 9113, named as there.

/** Bytes of every frame's header: length (3), type, flags, stream id (4). */
export const FRAME_HEADER_BYTES = 9
/** What every peer accepts (section 4.2), and the largest frame that we accept: answers are small. */
export const DEFAULT_MAX_FRAME_BYTES = 16_384
/** Flow-control windows start here, a connection's too (section 6.9.2). */
export const DEFAULT_WINDOW_BYTES = 65_535
/** Windows, stream ids and the last id of a GOAWAY end here. */
export const MAX_INT31 = 0x7fff_ffff

/** Section 6. */
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

/** ACK (SETTINGS, PING) and END_STREAM (DATA, HEADERS) are the same bit. */
export const FLAG = { ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 32 } as const

/** Section 6.5.2. */
export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const

/** Section 7. */
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

/** The time-outs of a client, in ms. */
export interface Http2Timing {
  /** From the opening of a connection to the server's SETTINGS. */
  connectTimeoutMs: number
  /** From a stream's opening to the end of the answer. Waiting for a stream does not count. */
  requestTimeoutMs: number
  /** A server whose streams stay all taken, or that allows none, must not hold a caller for good. */
  waitTimeoutMs: number
  /** Without a byte for this long a connection is probed: NATs forget connections and tell nobody. */
  idlePingMs: number
  /** An answer to a PING later than this means the peer is gone. */
  pingTimeoutMs: number
  /** A connection without requests for this long is closed. */
  idleCloseMs: number
  /** After a connection that was of no use, the next one is opened not before this; it doubles up to the maximum. */
  reconnectMinMs: number
  reconnectMaxMs: number
}

/** A dead connection is noticed within 20 s. */
export const DEFAULT_TIMING: Http2Timing = {
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 20_000,
  waitTimeoutMs: 60_000,
  idlePingMs: 15_000,
  pingTimeoutMs: 5_000,
  idleCloseMs: 5 * 60_000,
  reconnectMinMs: 250,
  reconnectMaxMs: 10_000,
}

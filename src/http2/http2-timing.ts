/** The time-outs of a client, in ms. */
export interface Http2Timing {
  /** From the creation of a connection to the server's SETTINGS. */
  connectTimeoutMs: number
  /** From the opening of a stream to the end of its answer. Time in the queue does not count. */
  requestTimeoutMs: number
  /** Queued requests fail after this time without a free stream, so that a server without any can't block callers. */
  waitTimeoutMs: number
  /** A connection without received bytes for this long is tested by a PING: a NAT may have lost its state silently. */
  idlePingMs: number
  /** A connection is closed when a PING has no answer for this long. */
  pingTimeoutMs: number
  /** A connection without requests for this long is closed. */
  idleCloseMs: number
  /** Delay of the next connection after a useless one. It doubles with each failure, up to `reconnectMaxMs`. */
  reconnectMinMs: number
  /** Longest delay of the next connection. */
  reconnectMaxMs: number
}

/** Detects a lost connection within 20 s. */
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

const MIN_TICK_MS = 5
const MAX_TICK_MS = 250

/** The interval at which time-outs are checked, in ms: an eighth of the shortest one, within limits. */
export function chooseTickMs(timing: Http2Timing): number {
  const { requestTimeoutMs, connectTimeoutMs, waitTimeoutMs, idlePingMs, pingTimeoutMs, idleCloseMs } = timing
  const shortestMs = Math.min(requestTimeoutMs, connectTimeoutMs, waitTimeoutMs, idlePingMs, pingTimeoutMs, idleCloseMs)
  return Math.min(MAX_TICK_MS, Math.max(MIN_TICK_MS, shortestMs / 8))
}

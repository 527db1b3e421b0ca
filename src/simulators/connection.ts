import { constants, type ServerHttp2Session } from 'node:http2'
import { setTimeout as delay } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'

/**
 * The number of streams to which the fault `squeeze` reduces a connection's limit; the next `squeeze` restores the
 * limit.
 */
const SQUEEZED_STREAMS = 5

/** How long `drain` waits for a client that has stopped reading, in ms. */
const MAX_DRAIN_MS = 10_000

/** The connection of a request, as the handler sees it. All requests of a connection have the same object. */
export interface SimulatedConnection {
  /** Sets the connection's limit of open streams (SETTINGS_MAX_CONCURRENT_STREAMS). */
  limitStreams(count: number): void
  /** The certificate (DER) that the client presented, if the server asks for one. */
  readonly clientCertificate: Buffer | undefined
}

/** One HTTP/2 connection: its streams, its limit of open streams, and the answers that are being sent. */
export class Connection implements SimulatedConnection {
  readonly remotePort: number | undefined
  readonly clientCertificate: Buffer | undefined
  readonly session: ServerHttp2Session
  /** The limit of open streams while the connection is not squeezed. */
  #streamLimit: number
  #isSqueezed = false
  /** The id of the highest stream that was processed. */
  #lastStreamId = 0
  #isLeaving = false
  /** The number of answers that are written but not completely sent. */
  #answering = 0
  #onAllSent: () => void = () => undefined
  #draining: Promise<void> | undefined
  /** Whether the connection was broken: unsent answers will never arrive. */
  isBroken = false

  constructor(session: ServerHttp2Session, streamLimit: number) {
    this.session = session
    this.#streamLimit = streamLimit
    this.remotePort = session.socket.remotePort
    this.clientCertificate = readClientCertificate(session)
  }

  limitStreams(count: number): void {
    this.#streamLimit = count
    this.#sendLimit(count)
  }

  /** Reduces the limit of open streams, or restores it if it is reduced. */
  squeeze(): void {
    // Node ends a session with many unacknowledged SETTINGS frames, so no further one is sent before the
    // acknowledgement.
    if (this.session.pendingSettingsAck) return
    this.#isSqueezed = !this.#isSqueezed
    this.#sendLimit(this.#isSqueezed ? SQUEEZED_STREAMS : this.#streamLimit)
  }

  /** Whether a stream may be processed. After GOAWAY, streams above the last one that it names may not. */
  process(streamId: number): boolean {
    if (this.#isLeaving && streamId > this.#lastStreamId) return false
    this.#lastStreamId = Math.max(this.#lastStreamId, streamId)
    return true
  }

  /** Counts the answers that are being sent: 1 when one begins, -1 when it ends. */
  onAnswer(change: 1 | -1): void {
    this.#answering += change
    if (this.#answering === 0) this.#onAllSent()
  }

  /**
   * Stops answering. Resolves when the client has read the answers that were written before; then the connection counts
   * as broken.
   */
  drain(): Promise<void> {
    this.#draining ??= this.#waitForClient()
    return this.#draining
  }

  /** Whether `drain` was called: no more answers may be written. */
  get isDraining(): boolean {
    return this.#draining !== undefined
  }

  async #waitForClient(): Promise<void> {
    const sent = new Promise<void>((resolve) => {
      this.#onAllSent = resolve
      if (this.#answering === 0) resolve()
    })
    // The PING is sent after all answers, so the client has read them when it acknowledges the PING.
    const isRead = sent.then(() => this.#ping())
    await Promise.race([isRead, delay(MAX_DRAIN_MS, undefined, { ref: false })])
    this.isBroken = true
  }

  #ping(): Promise<void> {
    return new Promise((resolve) => {
      if (this.session.destroyed || !this.session.ping(() => resolve())) resolve()
    })
  }

  /** Sends GOAWAY with the id of the last processed stream. */
  goaway(): void {
    if (this.#isLeaving || this.session.destroyed) return
    this.#isLeaving = true
    this.session.goaway(constants.NGHTTP2_NO_ERROR, this.#lastStreamId)
  }

  #sendLimit(count: number): void {
    if (!this.session.destroyed) this.session.settings({ maxConcurrentStreams: count })
  }
}

/** In place of the connection for requests over HTTP/1.1. */
export const NO_CONNECTION: SimulatedConnection = { limitStreams: () => undefined, clientCertificate: undefined }

function readClientCertificate({ socket }: ServerHttp2Session): Buffer | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  // Node returns an empty object if the client presented no certificate.
  const certificate: { raw?: Buffer } = socket.getPeerCertificate()
  return certificate.raw
}

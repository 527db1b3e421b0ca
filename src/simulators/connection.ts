import { constants, type ServerHttp2Session } from 'node:http2'
import { setTimeout as delay } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'

/** `squeeze` leaves a connection this many streams, and the next time all of them again. */
const SQUEEZED_STREAMS = 5

/** A client that reads no more is not waited for. */
const LAST_WORDS_MS = 10_000

/** What a handler may do to the connection that a request came on; the same object for all of its requests. */
export interface SimulatedConnection {
  /** SETTINGS_MAX_CONCURRENT_STREAMS from now on. */
  limitStreams(count: number): void
  /** The client's certificate (DER), where it was asked for and presented one. */
  readonly clientCertificate: Buffer | undefined
}

/** What is known of one HTTP/2 connection. */
export class Connection implements SimulatedConnection {
  readonly remotePort: number | undefined
  readonly clientCertificate: Buffer | undefined
  readonly session: ServerHttp2Session
  /** The limit when it is not squeezed. */
  #streamLimit: number
  #isSqueezed = false
  /** The highest stream that was processed. */
  #lastStreamId = 0
  #isLeaving = false
  /** Answers that are written and not all sent. */
  #answering = 0
  #onAllSent: () => void = () => undefined
  #silence: Promise<void> | undefined
  /** What was not sent by now never arrives. */
  isBroken = false

  constructor(session: ServerHttp2Session, streamLimit: number) {
    this.session = session
    this.#streamLimit = streamLimit
    this.remotePort = session.socket.remotePort
    this.clientCertificate = readClientCertificate(session)
  }

  limitStreams(count: number): void {
    this.#streamLimit = count
    this.#tellLimit(count)
  }

  squeeze(): void {
    // Node ends a session with many SETTINGS that are not acknowledged.
    if (this.session.pendingSettingsAck) return
    this.#isSqueezed = !this.#isSqueezed
    this.#tellLimit(this.#isSqueezed ? SQUEEZED_STREAMS : this.#streamLimit)
  }

  /** False for a stream above the one that a GOAWAY named: that promised to leave it unprocessed. */
  process(streamId: number): boolean {
    if (this.#isLeaving && streamId > this.#lastStreamId) return false
    this.#lastStreamId = Math.max(this.#lastStreamId, streamId)
    return true
  }

  /** An answer more is being sent, or with -1 one less. */
  onAnswer(change: 1 | -1): void {
    this.#answering += change
    if (this.#answering === 0) this.#onAllSent()
  }

  /** Before it breaks: answers nothing more. Resolves when the client has read all answers that were written before. */
  fallSilent(): Promise<void> {
    this.#silence ??= this.#finishAnswers()
    return this.#silence
  }

  /** No answer is written any more. */
  get isSilent(): boolean {
    return this.#silence !== undefined
  }

  async #finishAnswers(): Promise<void> {
    const sent = new Promise<void>((resolve) => {
      this.#onAllSent = resolve
      if (this.#answering === 0) resolve()
    })
    // A PING is answered in its turn: behind the answers that were sent before it.
    const isRead = sent.then(() => this.#ping())
    await Promise.race([isRead, delay(LAST_WORDS_MS, undefined, { ref: false })])
    this.isBroken = true
  }

  #ping(): Promise<void> {
    return new Promise((resolve) => {
      if (this.session.destroyed || !this.session.ping(() => resolve())) resolve()
    })
  }

  goaway(): void {
    if (this.#isLeaving || this.session.destroyed) return
    this.#isLeaving = true
    this.session.goaway(constants.NGHTTP2_NO_ERROR, this.#lastStreamId)
  }

  #tellLimit(count: number): void {
    if (!this.session.destroyed) this.session.settings({ maxConcurrentStreams: count })
  }
}

/** What HTTP/1.1 has in its place. */
export const NO_CONNECTION: SimulatedConnection = { limitStreams: () => undefined, clientCertificate: undefined }

function readClientCertificate({ socket }: ServerHttp2Session): Buffer | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  // Empty where there is none.
  const certificate: { raw?: Buffer } = socket.getPeerCertificate()
  return certificate.raw
}

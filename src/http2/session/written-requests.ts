import type { ByteWriter } from '../frames/byte-writer.ts'
import { Http2Error } from '../http2-error.ts'
import type { OpenStreams } from './open-streams.ts'
import type { PeerSettings } from './peer-settings.ts'
import type { RequestSource } from './request-source.ts'
import type { SendFlow } from './send-flow.ts'

/** The parts of the session that writing a request changes. */
export interface WrittenRequestsDeps {
  out: ByteWriter
  streams: OpenStreams
  sendFlow: SendFlow
  peer: PeerSettings
}

/** The state before the first written request, and the earliest end of the confirmations. */
interface Mark {
  start: number
  firstId: number
  connectionWindow: number
  isTableUpdateDue: boolean
  untilMs: number
}

/**
 * The requests in the send buffer that were not sent. The process may be stopped between the writing of a request and
 * its sending, so their confirmations are checked once more. The peer never sees a request that is taken back.
 */
export class WrittenRequests {
  readonly #deps: WrittenRequestsDeps
  #mark: Mark | undefined

  constructor(deps: WrittenRequestsDeps) {
    this.#deps = deps
  }

  /** Call it before a request is written. Until `take`, only requests may be written. */
  add({ batch: { confirmation } }: RequestSource): void {
    this.#mark ??= this.#makeMark()
    if (confirmation && confirmation.untilMs < this.#mark.untilMs) this.#mark.untilMs = confirmation.untilMs
  }

  /** The bytes to send, as `ByteWriter.take`. If a confirmation has ended, the requests fail as interrupted. */
  take(nowMs: number): Buffer {
    const mark = this.#mark
    this.#mark = undefined
    if (mark && nowMs > mark.untilMs) this.#takeBack(mark)
    return this.#deps.out.take()
  }

  #makeMark(): Mark {
    const { out, streams, sendFlow, peer } = this.#deps
    return {
      start: out.length,
      firstId: streams.nextId,
      connectionWindow: sendFlow.connectionWindow,
      isTableUpdateDue: peer.isTableUpdateDue,
      untilMs: Number.POSITIVE_INFINITY,
    }
  }

  #takeBack({ start, firstId, connectionWindow, isTableUpdateDue }: Mark): void {
    const { out, streams, sendFlow, peer } = this.#deps
    out.truncate(start)
    streams.failAbove(firstId - 1, new Http2Error('unsent', 'interrupted'))
    streams.nextId = firstId
    sendFlow.connectionWindow = connectionWindow
    peer.isTableUpdateDue = isTableUpdateDue
  }
}

// Writes that Redis has answered and may still lose. With `appendfsync everysec` it answers before the write is in its
// file, and a replica that is promoted may lack the primary's last writes. A crash then loses accepted sends. This
// process therefore remembers its last writes for as long as they can be lost, and repeats them after the connection
// was lost. Each of these writes may be repeated: it changes nothing when Redis still has it.

import type { Logger } from '../../observability/log.ts'
import type { RedisClient } from '../../redis/connect.ts'
import { pause } from '../../timing/pause.ts'
import { MAY_BE_LOST_MS } from './limits.ts'

const RETRY_MS = 200
/** The least time between two looks for old writes, in ms: removing the first of an array moves all others. */
const FORGET_INTERVAL_MS = 50
/** The approximate memory of a remembered write that has a uid and no texts, in bytes. */
export const SMALL_WRITE_BYTES = 500
/** The events of ioredis for a lost connection, to the server or to a node of a Cluster. */
const LOSSES = ['close', '-node', 'node error'] as const

interface Write {
  atMs: number
  /** The approximate memory that the remembered write takes. */
  bytes: number
  /** Whether the write cancels a send or excludes a target from one. */
  isCancellation: boolean
  /** Repeats the write. Resolves to false if Redis refuses it for lack of memory, otherwise to true. */
  repeat: () => Promise<boolean>
}

/** Remembers the last writes of this process, and repeats them after the connection to Redis was lost. */
export class RecentWrites {
  readonly #logger: Logger
  readonly #maxBytes: number
  readonly #closing = new AbortController()
  #writes: Write[] = []
  #bytes = 0
  #forgottenAtMs = 0
  /** Unix time in ms at which the connection was lost; undefined if no write has to be repeated. */
  #lostAtMs: number | undefined
  /** The number of times that the connection was lost. */
  #losses = 0

  /** @param deps.maxBytes the most memory for remembered writes; above it, the oldest are forgotten */
  constructor(deps: { client: RedisClient; logger: Logger; maxBytes: number }) {
    this.#logger = deps.logger
    this.#maxBytes = deps.maxBytes
    for (const event of LOSSES) deps.client.on(event, () => this.#onLost())
  }

  /** Remembers a write that Redis has answered. */
  remember(write: Omit<Write, 'atMs'>): void {
    const nowMs = Date.now()
    const { bytes, isCancellation, repeat } = write
    this.#writes.push({ atMs: nowMs, bytes, isCancellation, repeat })
    this.#bytes += bytes
    if (this.#bytes > this.#maxBytes || nowMs - this.#forgottenAtMs >= FORGET_INTERVAL_MS) this.#forgetOld()
  }

  /** Stops repeating, and forgets all writes. */
  close(): void {
    this.#closing.abort()
    this.#writes = []
  }

  #forgetOld(): void {
    this.#forgottenAtMs = Date.now()
    const oldestMs = (this.#lostAtMs ?? this.#forgottenAtMs) - MAY_BE_LOST_MS
    let count = 0
    for (const { atMs, bytes } of this.#writes) {
      if (atMs >= oldestMs && this.#bytes <= this.#maxBytes) break
      this.#bytes -= bytes
      count++
    }
    this.#writes.splice(0, count)
  }

  #onLost(): void {
    if (this.#closing.signal.aborted) return
    this.#losses++
    if (this.#lostAtMs !== undefined) return
    this.#lostAtMs = Date.now()
    this.#forgetOld()
    this.#repeatAll().catch((error: unknown) => {
      this.#logger.error({ err: error }, 'queue: recent writes not repeated')
    })
  }

  async #repeatAll(): Promise<void> {
    // Cancellations are repeated first: otherwise a worker could claim a repeated send before its cancellation is
    // repeated.
    const isSend = ({ isCancellation }: Write) => Number(!isCancellation)
    let losses: number
    let writes: Write[]
    do {
      losses = this.#losses
      writes = this.#writes.toSorted((a, b) => isSend(a) - isSend(b))
      for (const write of writes) await this.#repeat(write)
      // If the connection was lost again during the loop, the writes that were repeated or accepted before that may be
      // lost too.
    } while (losses !== this.#losses && !this.#closing.signal.aborted)
    if (writes.length > 0) {
      this.#logger.info({ writes: writes.length }, 'queue: Redis reconnected, recent writes repeated')
    }
    this.#lostAtMs = undefined
  }

  /** Repeats one write until Redis has stored it or `close` is called. */
  async #repeat(write: Write): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      // An error means that Redis is not available yet: the write is tried again.
      if (await write.repeat().catch(() => false)) return
      await pause(RETRY_MS, signal)
    }
  }
}

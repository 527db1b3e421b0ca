// What Redis may have answered and yet not have: with `appendfsync everysec` it answers before its file has the write,
// up to two seconds while the disk is busy, and a replica that takes over may be behind its primary. Who dies then has
// forgotten sends that were accepted. So the last ones are remembered here for as long as that can be, and written again
// when the connection was lost: every one of these writes may be repeated, and changes nothing where it is known.
import type { Logger } from '../../observability/log.ts'
import { pause } from '../../timing/pause.ts'
import type { RedisClient } from './script.ts'

/** Redis gives up waiting for its disk after two seconds, and writes to it once a second. */
const MAY_BE_LOST_MS = 5000
/** Of requests in memory; beyond it the oldest are forgotten. */
const MAX_BYTES = 64 * 1024 * 1024
const RETRY_MS = 200
/** What ioredis says when a server, or one of a Cluster's, is gone. */
const LOSSES = ['close', '-node', 'node error'] as const

interface Write {
  atMs: number
  /** How much memory it holds, roughly. */
  bytes: number
  /** It ends a send, or leaves somebody out of one. */
  isCancellation: boolean
  /** Resolves to whether the store has it now; false when it has no room. */
  repeat: () => Promise<boolean>
}

export class RecentWrites {
  readonly #logger: Logger
  readonly #closing = new AbortController()
  #writes: Write[] = []
  #bytes = 0
  /** Unix time in ms of the first sign that the store is gone; undefined while it is there. */
  #lostAtMs: number | undefined
  /** Signs of that so far. */
  #losses = 0

  constructor(deps: { client: RedisClient; logger: Logger }) {
    this.#logger = deps.logger
    for (const event of LOSSES) deps.client.on(event, () => this.#onLost())
  }

  /** Remembers a write that was answered. */
  remember(write: Omit<Write, 'atMs'>): void {
    this.#writes.push({ ...write, atMs: Date.now() })
    this.#bytes += write.bytes
    this.#forgetOld()
  }

  close(): void {
    this.#closing.abort()
    this.#writes = []
  }

  #forgetOld(): void {
    const oldestMs = (this.#lostAtMs ?? Date.now()) - MAY_BE_LOST_MS
    let count = 0
    for (const { atMs, bytes } of this.#writes) {
      if (atMs >= oldestMs && this.#bytes <= MAX_BYTES) break
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
      this.#logger.error({ err: error }, 'queue: what was accepted last could not be stored again')
    })
  }

  async #repeatAll(): Promise<void> {
    // Cancellations hold for sends that come after them: no worker may see such a send before.
    const isSend = ({ isCancellation }: Write) => Number(!isCancellation)
    let losses: number
    let writes: Write[]
    do {
      losses = this.#losses
      writes = this.#writes.toSorted((a, b) => isSend(a) - isSend(b))
      for (const write of writes) await this.#repeat(write)
      // Lost again meanwhile: what was repeated or accepted before that may be gone too.
    } while (losses !== this.#losses && !this.#closing.signal.aborted)
    if (writes.length > 0) {
      this.#logger.info({ writes: writes.length }, 'queue: Redis is back; what was accepted last is in it')
    }
    this.#lostAtMs = undefined
  }

  /** As often as it takes. */
  async #repeat(write: Write): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      // An error means that it is still away.
      if (await write.repeat().catch(() => false)) return
      await pause(RETRY_MS, signal)
    }
  }
}

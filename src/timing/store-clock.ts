/** A reading of this age, in ms, is used while the next one is made: clocks drift by less than 1 ms in this time. */
const REFRESH_MS = 5000

interface Deps {
  /** Resolves to the store's time as a Unix time in ms. */
  read(): Promise<number>
  /** The time of this process in ms, which is never set back; `performance.now()` by default. */
  now?(): number
}

/** The bounds of the store's time minus this process's time, in ms: a reading was made during its round trip. */
interface Offset {
  low: number
  high: number
  readAtMs: number
}

/**
 * The clock of a store, for deadlines that the store itself checks. A write that is delayed on its way, in a pool, a
 * socket or the network, is then refused although this process can no longer stop it.
 */
export class StoreClock {
  readonly #read: () => Promise<number>
  readonly #now: () => number
  #offset: Offset | undefined
  #reading: Promise<Offset> | undefined

  constructor({ read, now = () => performance.now() }: Deps) {
    this.#read = read
    this.#now = now
  }

  /**
   * Resolves to the store's Unix time in ms at a time of this process, never to a later one. It reads the clock of the
   * store for the first call and after forget(). Rejects as that reading does.
   */
  async convert(localMs: number): Promise<number> {
    const known = this.#offset
    if (!known) return localMs + (await this.#readOnce()).low
    // If this reading fails, the next call starts another one.
    if (this.#now() - known.readAtMs > REFRESH_MS) this.#readOnce().catch(() => undefined)
    return localMs + known.low
  }

  /** The store refused a write as late: its clock may have been set, or another server may have taken over. */
  forget(): void {
    this.#offset = undefined
  }

  #readOnce(): Promise<Offset> {
    this.#reading ??= this.#readOffset().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  /** Readings that agree narrow the bounds. One that contradicts the others replaces them: the clock was set. */
  async #readOffset(): Promise<Offset> {
    const startedAtMs = this.#now()
    const storeMs = await this.#read()
    const readAtMs = this.#now()
    const [low, high] = [storeMs - readAtMs, storeMs - startedAtMs]
    const known = this.#offset
    const agrees = known && low <= known.high && high >= known.low
    this.#offset = agrees
      ? { low: Math.max(low, known.low), high: Math.min(high, known.high), readAtMs }
      : { low, high, readAtMs }
    return this.#offset
  }
}

import { readChildren, readResidentBytes } from '../harness/process-times.ts'

const INTERVAL_MS = 50

/** Watches the resident memory of a server and its children. */
export class MemoryWatch {
  readonly #pid: number
  readonly #timer: NodeJS.Timeout
  #peakBytes = 0

  constructor(pid: number) {
    this.#pid = pid
    this.#timer = setInterval(() => void this.read(), INTERVAL_MS)
  }

  /** The most bytes since the start or the last call. */
  takePeak(): number {
    const peak = this.#peakBytes
    this.#peakBytes = 0
    return peak
  }

  /** The resident bytes of all processes. */
  async read(): Promise<number> {
    const pids = [this.#pid, ...(await readChildren(this.#pid))]
    const bytes = (await Promise.all(pids.map(readResidentBytes))).reduce((sum, one) => sum + one, 0)
    this.#peakBytes = Math.max(this.#peakBytes, bytes)
    return bytes
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

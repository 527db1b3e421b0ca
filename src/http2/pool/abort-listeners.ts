import type { PendingBatch } from './pending-batch.ts'

/** The batches of one signal, and the listener that aborts them. */
interface SharedSignal {
  batches: Set<PendingBatch>
  listener: () => void
}

/**
 * Listens to the signals of batches. Small batches share a signal, and then a listener too: to add and to remove one
 * costs as much as a request.
 */
export class AbortListeners {
  readonly #onAbort: (batch: PendingBatch) => void
  readonly #signals = new Map<AbortSignal, SharedSignal>()

  /** @param onAbort called for each batch when its signal aborts */
  constructor(onAbort: (batch: PendingBatch) => void) {
    this.#onAbort = onAbort
  }

  /** Begins to listen for a batch. */
  add(batch: PendingBatch): void {
    const { signal } = batch.batch
    const known = this.#signals.get(signal)
    if (known) {
      known.batches.add(batch)
      return
    }
    const batches = new Set([batch])
    const listener = () => {
      for (const aborted of batches) this.#onAbort(aborted)
    }
    this.#signals.set(signal, { batches, listener })
    signal.addEventListener('abort', listener, { once: true })
  }

  /** Ends the listening for a batch. */
  remove(batch: PendingBatch): void {
    const { signal } = batch.batch
    const shared = this.#signals.get(signal)
    if (!shared?.batches.delete(batch) || shared.batches.size > 0) return
    this.#signals.delete(signal)
    signal.removeEventListener('abort', shared.listener)
  }
}

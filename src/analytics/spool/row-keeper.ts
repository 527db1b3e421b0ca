// Writes the rows of a process to the spool, batch after batch:
//
//   collected ──(keep, together with all rows of that moment)──▶ in the open file ──(seal)──▶ in the sealed file
//
// The queue gets the end of a target only after the rows of that end are kept. While the disk is full or can't be
// written, rows are in memory only. While it does not answer, nothing waits for it.
import { randomUUID } from 'node:crypto'
import type { Logger } from '../../observability/log.ts'
import { OutageLog } from '../../observability/outage-log.ts'
import { withDeadline } from '../../timing/deadline.ts'
import { GroupedCalls } from '../../timing/grouped-calls.ts'
import { makeTurns } from '../../timing/turns.ts'
import type { CollectedRows, GrowingFile } from './growing-file.ts'
import type { Spool, SpooledBatch } from './spool.ts'

/** How long a call waits for the disk, in ms. A write into the cache of the system takes less than one. */
const MAX_WAIT_MS = 1000
/** The least time between the starts of two writes, in ms: one for each of many small sends would cost half a core. */
const MIN_INTERVAL_MS = 1

interface Deps {
  spool: Spool
  logger: Logger
  /** Names the outages in the log. */
  name: string
  /** The rows of the first batch. */
  collected: CollectedRows
  /** Replaces the constant, for tests. */
  maxWaitMs?: number
}

/** A batch that is not collected any more. */
export interface SealedBatch {
  /** Names its rows for the store. */
  token: string
  /** Resolves to the batch in the spool; to undefined if it could not be written, then its rows are in memory only. */
  spooled: Promise<SpooledBatch | undefined>
}

/** Keeps the rows of the batches of one process. */
export class RowKeeper {
  readonly #deps: Deps
  readonly #outage: OutageLog
  /** The disk gets one call at a time, so that one that hangs does not occupy all threads of the process. */
  readonly #inTurn = makeTurns()
  readonly #calls = new GroupedCalls<undefined, undefined>({
    run: async (calls) => {
      await this.#append()
      return calls
    },
    maxTogether: Number.POSITIVE_INFINITY,
    minIntervalMs: MIN_INTERVAL_MS,
  })
  #open: { token: string; collected: CollectedRows; file: GrowingFile }
  /** Whether a call of the disk takes longer than MAX_WAIT_MS. */
  #isHanging = false

  constructor(deps: Deps) {
    this.#deps = deps
    this.#outage = new OutageLog({
      logger: deps.logger,
      kind: 'store',
      name: `${deps.name} spool`,
      now: Date.now,
    })
    this.#open = this.#begin(deps.collected)
  }

  /**
   * Resolves when all collected rows survive the end of this process, or can't be written: the caller goes on in any
   * case. Calls that arrive during a write share the next one. Never rejects.
   */
  async keep(): Promise<void> {
    if (!this.#isHanging) await this.#calls.add(undefined)
  }

  /** Ends a batch. @param next the rows of the next one */
  seal(next: CollectedRows): SealedBatch {
    const { token, collected, file } = this.#open
    this.#open = this.#begin(next)
    return { token, spooled: this.#inTurn(() => this.#seal(file, { token, rows: collected.rows })) }
  }

  #begin(collected: CollectedRows) {
    const token = randomUUID()
    return { token, collected, file: this.#deps.spool.begin(token, collected) }
  }

  /** Appends the rows of the open batch. Never rejects. */
  async #append(): Promise<void> {
    const appended = this.#inTurn(async () => {
      try {
        await this.#open.file.append()
        this.#outage.onWell()
      } catch (error) {
        this.#onFailure(error)
      }
      this.#isHanging = false
    })
    const maxWaitMs = this.#deps.maxWaitMs ?? MAX_WAIT_MS
    await withDeadline(appended, maxWaitMs).catch((error: unknown) => {
      this.#isHanging = true
      this.#onFailure(error, 'check the disk of data_dir')
    })
  }

  /** Never rejects. Rows that can't be written are in memory only: their file must not be sent too. */
  async #seal(file: GrowingFile, batch: SpooledBatch): Promise<SpooledBatch | undefined> {
    try {
      await file.seal(this.#deps.spool.pathOf(batch))
      this.#outage.onWell()
      return batch
    } catch (error) {
      this.#onFailure(error)
      await file.remove().catch(() => undefined)
      return undefined
    }
  }
  #onFailure(error: unknown, mend = 'make data_dir writable, free space, check the disk'): void {
    const cause = error instanceof Error ? error.message : 'unknown error'
    this.#outage.onFailure({ cause, mend: `${mend}; a kill of this process would lose new rows` }, { err: error })
  }
}

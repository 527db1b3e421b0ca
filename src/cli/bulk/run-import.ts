// Runs an import: stores a few batches at the same time while it reads and checks the next one. Two batches with the
// same device are stored one after the other, so that the last line about the device wins. The position is saved when a
// batch and all batches before it are stored. Records after the position may be stored again, which does no harm.
import type { ImportOutcome } from '../../devices/import/import-devices.ts'
import { DecodeError } from '../../protocol/decode-message.ts'
import { ApiError } from '../../protocol/errors.ts'
import type { ImportKind } from './import-kind.ts'
import type { ImportSource, SourceBatch, SourceItem } from './import-source.ts'
import type { Progress } from './progress.ts'
import type { Rejects } from './rejects.ts'
import type { ImportCounts, Position, ResumeState } from './resume-state.ts'

interface Import<Item> {
  kind: ImportKind<Item>
  source: ImportSource
  /** The position in the source to start from. */
  start: Position
  /** The counts of the records before it. */
  counts: ImportCounts
  state: ResumeState
  rejects: Rejects
  progress: Progress
  /** When it aborts, the import ends between two batches. */
  signal: AbortSignal
}

/**
 * The most batches that are stored at the same time: the database works while this process reads, and a commit delays
 * only its own batch.
 */
const MAX_IN_FLIGHT = 3

/** A batch that is being stored. */
interface Flight {
  keys: ReadonlySet<string>
  /** Resolves when this batch and all earlier batches are stored, and their outcomes are counted. */
  settled: Promise<void>
}

/**
 * Runs an import. Resolves to the counts of all its runs when everything is stored or `signal` has aborted. Rejects if
 * the database or the source fails.
 */
export async function runImport<Item>(job: Import<Item>): Promise<ImportCounts> {
  const result = { ...job.counts }
  const flights: Flight[] = []
  const land = async () => await flights.shift()?.settled
  try {
    for await (const batch of job.source.read(job.start)) {
      const checked = batch.items.map((item) => check(job.kind, item))
      const items = checked.filter((entry) => 'item' in entry).map(({ item }) => item)
      const keys = new Set(items.flatMap((item) => job.kind.keysOf(item)))
      while (flights.length >= MAX_IN_FLIGHT || flights.some((flight) => hasCommon(flight.keys, keys))) await land()
      if (job.signal.aborted) break
      const outcomes = job.kind.store(items)
      const settled = settle(job, { batch, checked, outcomes, before: flights.at(-1)?.settled }, result)
      // The promises are awaited in `land`. Until then a rejection must not count as unhandled.
      for (const promise of [outcomes, settled]) promise.catch(() => undefined)
      flights.push({ keys, settled })
    }
  } finally {
    // This runs even if reading the source failed: batches that were read before the failure are still stored.
    while (flights.length > 0) await land()
  }
  if (!job.signal.aborted) await job.state.clear()
  return result
}

function hasCommon(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  for (const key of some) if (others.has(key)) return true
  return false
}

type Checked<Item> = { line: number; item: Item } | { line: number; reason: string }

/** Parses the records of a batch. A wrong line is rejected alone; the other lines of its batch are stored. */
function check<Item>(kind: ImportKind<Item>, { line, json }: SourceItem): Checked<Item> {
  if (json === undefined) return { line, reason: 'too long for a record' }
  try {
    return { line, item: kind.parse(json) }
  } catch (error) {
    if (error instanceof DecodeError || error instanceof ApiError) return { line, reason: error.message }
    throw error
  }
}

interface Stored<Item> {
  batch: SourceBatch
  checked: readonly Checked<Item>[]
  outcomes: Promise<ImportOutcome[]>
  /** Resolves when the batches before this one are settled; undefined for the first batch. */
  before: Promise<void> | undefined
}

/** Reports the outcomes of a batch after those of the batches before it. */
async function settle<Item>(
  job: Import<Item>,
  { batch, checked, outcomes, before }: Stored<Item>,
  result: ImportCounts,
): Promise<void> {
  await before
  const left = (await outcomes).values()
  for (const entry of checked) {
    const outcome = 'reason' in entry ? { kind: 'refused' as const, reason: entry.reason } : left.next().value
    if (outcome?.kind === 'refused') {
      result.rejected++
      await job.rejects.add(entry.line, outcome.reason)
    } else if (outcome?.kind === 'kept') result.kept++
    else result.stored++
  }
  await job.state.save({ position: batch.next, counts: result })
  job.progress.show({ count: batch.next.line, ...job.source.measure(batch.next) })
}

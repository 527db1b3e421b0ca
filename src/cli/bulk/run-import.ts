// An import: batch after batch, a few being stored while the next one is read and checked. Two batches that are about the
// same device are stored one after the other, so that its last line counts. The position is saved when a batch
// and all before it are stored: what is behind it can be done again.
import type { ImportOutcome } from '../../devices/import/import-devices.ts'
import { ApiError } from '../../protocol/errors.ts'
import { DecodeError } from '../../protocol/wire-types.ts'
import type { ImportKind } from './import-kind.ts'
import type { ImportSource, SourceBatch, SourceItem } from './import-source.ts'
import type { Progress } from './progress.ts'
import type { Rejects } from './rejects.ts'
import type { Position, ResumeState } from './resume-state.ts'

interface Import<Item> {
  kind: ImportKind<Item>
  source: ImportSource
  /** Where an earlier run has stopped. */
  start: Position
  state: ResumeState
  rejects: Rejects
  progress: Progress
  /** Stops between two batches. */
  signal: AbortSignal
}

export interface ImportResult {
  stored: number
  /** Those that had changed here since, and were left alone. */
  kept: number
}

/** So that neither the database nor this process waits for the other, or for a commit to be written. */
const MAX_IN_FLIGHT = 3

/** A batch on its way. */
interface Flight {
  keys: ReadonlySet<string>
  /** It and all before it are stored. */
  settled: Promise<void>
}

/** Resolves when all is stored, or `signal` has aborted. Rejects where the database or the source fails. */
export async function runImport<Item>(job: Import<Item>): Promise<ImportResult> {
  const result = { stored: 0, kept: 0 }
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
      // Both are awaited when it lands; until then a failure must not count as unhandled.
      for (const promise of [outcomes, settled]) promise.catch(() => undefined)
      flights.push({ keys, settled })
    }
  } finally {
    // When the source fails, too: what was read before is stored.
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

/** What is wrong with a line never fails its neighbours. */
function check<Item>(kind: ImportKind<Item>, { line, json }: SourceItem): Checked<Item> {
  if (json === undefined) return { line, reason: 'longer than any device' }
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
  /** The batches before it. */
  before: Promise<void> | undefined
}

/** Reports what became of a batch, in the order of the batches. */
async function settle<Item>(
  job: Import<Item>,
  { batch, checked, outcomes, before }: Stored<Item>,
  result: ImportResult,
): Promise<void> {
  await before
  const left = (await outcomes).values()
  for (const entry of checked) {
    const outcome = 'reason' in entry ? { kind: 'refused' as const, reason: entry.reason } : left.next().value
    if (outcome?.kind === 'refused') await job.rejects.add(entry.line, outcome.reason)
    else if (outcome?.kind === 'kept') result.kept++
    else result.stored++
  }
  await job.state.save(batch.next)
  job.progress.show({ count: batch.next.line, ...job.source.measure(batch.next) })
}

// An import: batch after batch, one being stored while the next one is read and checked. The position is saved behind
// each batch that is stored, so at any time all before it is stored, and what is behind it can be done again.
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

/** Resolves when all is stored, or `signal` has aborted. Rejects where the database or the source fails. */
export async function runImport<Item>(job: Import<Item>): Promise<ImportResult> {
  const result = { stored: 0, kept: 0 }
  let storing: Promise<void> = Promise.resolve()
  for await (const batch of job.source.read(job.start)) {
    const checked = batch.items.map((item) => check(job.kind, item))
    await storing
    if (job.signal.aborted) return result
    storing = storeBatch(job, batch, checked, result)
    // It is awaited behind the next read; until then its failure must not count as unhandled.
    storing.catch(() => undefined)
  }
  await storing
  if (!job.signal.aborted) await job.state.clear()
  return result
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

async function storeBatch<Item>(
  job: Import<Item>,
  batch: SourceBatch,
  checked: readonly Checked<Item>[],
  result: ImportResult,
): Promise<void> {
  const valid = checked.filter((entry) => 'item' in entry)
  const outcomes = await job.kind.store(valid.map(({ item }) => item))
  const reasons = new Map<number, string>()
  for (const entry of checked) if ('reason' in entry) reasons.set(entry.line, entry.reason)
  for (const [index, { line }] of valid.entries()) {
    const outcome = outcomes[index]
    if (outcome?.kind === 'refused') reasons.set(line, outcome.reason)
    else if (outcome?.kind === 'kept') result.kept++
    else result.stored++
  }
  for (const [line, reason] of [...reasons].sort(([a], [b]) => a - b)) await job.rejects.add(line, reason)
  await job.state.save(batch.next)
  job.progress.show({ count: batch.next.line, ...job.source.measure(batch.next) })
}

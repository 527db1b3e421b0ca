// The end of an attempt of a batch: the outcomes of its targets, for the report of the send, analytics and metrics.
import type { AttemptRecorder, EventRecorder } from '../analytics/analytics.ts'
import type { Retry } from '../queue/batch.ts'
import type { ReportCount } from '../queue/report.ts'
import { type EndedTargets, listAttempts, listEvents, type PostponedTargets, sourceOf } from './ended-targets.ts'
import type { OpenBatch } from './open-batch.ts'
import type { Rejection } from './rejections.ts'

/** The end of an attempt. */
export interface AttemptEnd {
  /** Targets that the provider accepted or refused. */
  answered: readonly EndedTargets[]
  /** Targets that ended without such an answer. */
  unsent: readonly EndedTargets[]
  /** Those of `answered` and `unsent` that this process has not recorded, and no earlier attempt. */
  unrecorded: readonly EndedTargets[]
  /** Targets that are tried again. */
  postponed: readonly PostponedTargets[]
  /** The number of targets that had an attempt and are stored for another one. */
  retrying: number
  /** The targets that the provider rejected, for the log. They are part of `answered` too. */
  rejections: readonly Rejection[]
}

/** The number of targets in retries that had an attempt. */
export function countRetrying(retries: readonly Retry[]): number {
  return retries.reduce((sum, { count, startsOver }) => (startsOver ? sum : sum + count), 0)
}

/** The changes of the send's report by an attempt. */
export function listChanges(batch: OpenBatch, { answered, unsent, retrying }: AttemptEnd): ReportCount[] {
  const { provider, isRetry, isRange, skipped } = batch
  const changes: ReportCount[] = []
  const add = (of: Omit<ReportCount, 'reason' | 'provider'> & Partial<ReportCount>) => {
    if (of.count !== 0) changes.push({ provider, reason: '', ...of })
  }
  for (const { outcome, reason, lines } of [...answered, ...unsent]) {
    add({ counted: outcome, reason, count: lines.length })
  }
  add({ counted: 'retrying', count: retrying - (isRetry ? batch.count : 0) })
  // The targets of lines were counted when the batch was stored.
  if (isRange) add({ counted: 'target', count: batch.lines.length })
  for (const { provider, reason, lines } of skipped) {
    add({ provider, counted: 'target', count: lines.length })
    add({ provider, counted: 'dropped', reason, count: lines.length })
  }
  return changes
}

/** Records the events of targets that an attempt ended. Resolves as `recordEvents` does. */
export async function recordEnded(
  recorder: EventRecorder,
  batch: OpenBatch,
  ended: readonly EndedTargets[],
): Promise<void> {
  if (ended.some(({ lines }) => lines.length > 0))
    await recorder.recordEvents(sourceOf(batch), listEvents(batch, ended))
}

/** Records the events of an attempt that are not recorded yet. Resolves as `recordEvents` does. */
export async function recordEnd(
  recorder: EventRecorder & AttemptRecorder,
  batch: OpenBatch,
  { unrecorded, postponed }: AttemptEnd,
): Promise<void> {
  const source = sourceOf(batch)
  const kept = [recordEnded(recorder, batch, unrecorded)]
  if (postponed.length > 0) kept.push(recorder.recordAttempts(source, listAttempts(batch, batch.attempt, postponed)))
  for (const { provider, reason, lines } of batch.skipped) {
    const dropped = { outcome: 'dropped', reason, message: '', lines } as const
    kept.push(recorder.recordEvents({ ...source, provider }, listEvents({ ...batch, provider }, [dropped])))
  }
  await Promise.all(kept)
}

// The targets of batches and dead letters in the tables. They are lines in the column `targets`, or a range of devices
// in the columns `range_after` and `range_until`.
import * as v from 'valibot'
import type { BatchTargets, DeviceRange } from '../batch.ts'

/** The columns that hold the targets of a batch or dead letter. */
export const StoredTargets = v.object({
  targets: v.nullable(v.string()),
  range_after: v.nullable(v.string()),
  range_until: v.nullable(v.string()),
})

/** Reads the targets from a row of batches or dead letters. */
export function readTargets({ targets, ...range }: v.InferOutput<typeof StoredTargets>): BatchTargets<string> {
  return targets === null ? { kind: 'range', range: readRange(range) } : { kind: 'lines', lines: targets }
}

/** Reads the range of a row without target lines. A constraint of the tables ensures that such a row has a range. */
export function readRange({
  range_after,
  range_until,
}: Omit<v.InferOutput<typeof StoredTargets>, 'targets'>): DeviceRange {
  if (range_until === null) throw new Error('a stored batch has neither lines nor a range')
  return { after: range_after ?? undefined, until: range_until }
}

/** Targets as values of the columns `targets`, `range_after` and `range_until`. */
export function encodeTargets(targets: BatchTargets<Buffer | string>): (string | null)[] {
  return targets.kind === 'lines'
    ? [targets.lines.toString(), null, null]
    : [null, targets.range.after ?? null, targets.range.until]
}

// The targets of batches and dead letters, as their tables have them: lines in `targets`, or a range of devices.
import * as v from 'valibot'
import type { BatchTargets, DeviceRange } from '../batch.ts'

/** Columns of a row that has targets. */
export const StoredTargets = v.object({
  targets: v.nullable(v.string()),
  range_after: v.nullable(v.string()),
  range_until: v.nullable(v.string()),
})

/** The targets in columns of a row. */
export function readTargets({ targets, ...range }: v.InferOutput<typeof StoredTargets>): BatchTargets<string> {
  return targets === null ? { kind: 'range', range: readRange(range) } : { kind: 'lines', lines: targets }
}

/** The range in columns of a row without lines: a constraint of the tables says that there is one. */
export function readRange({
  range_after,
  range_until,
}: Omit<v.InferOutput<typeof StoredTargets>, 'targets'>): DeviceRange {
  if (range_until === null) throw new Error('a batch has neither lines nor a range')
  return { after: range_after ?? undefined, until: range_until }
}

/** Targets as values of the columns `targets`, `range_after` and `range_until`. */
export function encodeTargets(targets: BatchTargets<Buffer | string>): (string | null)[] {
  return targets.kind === 'lines'
    ? [targets.lines.toString(), null, null]
    : [null, targets.range.after ?? null, targets.range.until]
}

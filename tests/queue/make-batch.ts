// Batches for tests of the queue.
import type { BatchTargets, DeviceRange, NewBatch, Retry } from '../../src/queue/batch.ts'
import type { Lane } from '../../src/queue/lane.ts'

/** A target line of an iOS device for each value, which is its token. */
export function linesOf(...values: string[]): string[] {
  return values.map((value) => `device-${value}\t${value}\tuser-${value}\tios`)
}

/** Lines as the targets of a new batch. */
export function newLines(lines: readonly string[]): Pick<NewBatch, 'targets' | 'count'> {
  return { targets: { kind: 'lines', lines: Buffer.from(lines.join('\n')) }, count: lines.length }
}

/** Lines as the targets of a retry or a dead letter. */
export function storedLines(lines: readonly string[]): Pick<Retry, 'targets' | 'count'> {
  return { targets: { kind: 'lines', lines: lines.join('\n') }, count: lines.length }
}

/** An FCM batch of `linesOf` these values. */
export function batchOf(lane: Lane, ...values: string[]): NewBatch {
  return { provider: 'fcm', lane, targetKind: 'token', ...newLines(linesOf(...values)) }
}

/** An FCM batch of a range of devices. */
export function rangeBatchOf(range: DeviceRange): NewBatch {
  return { provider: 'fcm', lane: 'broadcast', targetKind: 'token', targets: { kind: 'range', range }, count: 500 }
}

/** The lines of a batch. @throws when it has a range */
export function readLines<Lines>({ targets }: { targets: BatchTargets<Lines> }): Lines {
  if (targets.kind !== 'lines') throw new Error('expected lines, found a range')
  return targets.lines
}

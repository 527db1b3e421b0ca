// The targets of retries and dead letters as the queue stores them.
import { RANGE_DEVICES, type Retry } from '../queue/batch.ts'
import type { OpenBatch } from './open-batch.ts'

/** Target lines as the targets of a retry or a dead letter. */
export function storeLines(lines: readonly string[]): Pick<Retry, 'targets' | 'count'> {
  return { targets: { kind: 'lines', lines: lines.join('\n') }, count: lines.length }
}

/** The rest of a range as a batch of its own, due at once. */
export function makeRestRetry(rest: NonNullable<OpenBatch['rest']>): Retry {
  return {
    targets: { kind: 'range', range: rest },
    count: RANGE_DEVICES,
    delayMs: 0,
    ambiguousAttempts: 0,
    startsOver: true,
  }
}

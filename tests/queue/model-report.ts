import { expect } from 'vitest'
import type { BatchClaim, Retry } from '../../src/queue/batch.ts'
import type { ReportCount, SendReport } from '../../src/queue/report.ts'
import type { LeftOut, Page } from '../../src/queue/send.ts'

/** The report of a send in the model of the queue. */
export class ModelReport {
  readonly #counts = new Map<string, number>()
  #hasAttempts = false

  /** Adds what a stored page counts. */
  addPage({ batches, leftOut = [] }: Page): void {
    for (const { provider, targets, count } of batches) {
      if (targets.kind === 'lines') this.#add({ provider, counted: 'target', reason: '', count })
    }
    for (const { provider, reason, count } of leftOut) {
      this.#add({ provider, counted: 'target', reason: '', count })
      this.#add({ provider, counted: 'dropped', reason, count })
    }
  }

  /** Adds what an acknowledged attempt counts. */
  add(counts: readonly ReportCount[]): void {
    this.#hasAttempts = true
    for (const count of counts) this.#add(count)
  }

  /** Compares the report with that of the real queue. */
  compare(report: SendReport | undefined, { state, hasEnded }: { state: string; hasEnded: boolean }): void {
    if (!report) throw new Error('the queue has no report of a send')
    expect(report.state).toBe(state)
    expect(report.endedAtMs !== undefined).toBe(hasEnded)
    expect([report.firstAtMs !== undefined, report.lastAtMs !== undefined]).toEqual([
      this.#hasAttempts,
      this.#hasAttempts,
    ])
    expect(new Map(report.counts.map((count) => [nameOf(count), count.count]))).toEqual(
      new Map([...this.#counts].filter(([, count]) => count !== 0)),
    )
  }

  #add(count: ReportCount): void {
    this.#counts.set(nameOf(count), (this.#counts.get(nameOf(count)) ?? 0) + count.count)
  }
}

/** Devices that a page leaves out. */
export function makeLeftOut(count: number): LeftOut[] {
  return count === 0 ? [] : [{ provider: 'apns', reason: 'no_notification', lines: Buffer.from(''), count }]
}

/** What an attempt counts: one target, which was sent unless the batch has retries. */
export function listCounts({ isRetry, targets }: BatchClaim, retries: readonly Retry[]): ReportCount[] {
  const fcm = { provider: 'fcm', reason: '' } as const
  return [
    { ...fcm, counted: 'retrying', count: retries.length - (isRetry ? 1 : 0) },
    ...(targets.kind === 'range' ? [{ ...fcm, counted: 'target', count: 1 } as const] : []),
    ...(retries.length === 0 ? [{ ...fcm, counted: 'sent', count: 1 } as const] : []),
    ...(retries.length === 2 ? [{ ...fcm, counted: 'failed', reason: 'A CODE', count: 3 } as const] : []),
  ]
}

function nameOf({ provider, counted, reason }: ReportCount): string {
  return [provider, counted, reason].join(' ')
}

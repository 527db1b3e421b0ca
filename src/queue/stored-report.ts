// The stored format of the parts of a report. Servers of other versions read it too.
import * as v from 'valibot'
import { isProviderName, PROVIDER_NAMES } from '../config/provider-names.ts'
import type { Recipient } from '../sends/recipient.ts'
import type { BatchClaim, BatchTargets } from './batch.ts'
import type { DeadLetter } from './dead-letter.ts'
import { COUNTED, type ReportCount, type ReportSubject } from './report.ts'
import type { Page, Send } from './send.ts'
import { encodeFilter, StoredFilter } from './stored-filter.ts'

/** The most bytes of a stored subject, because reports are kept long after their sends. */
const MAX_SUBJECT_BYTES = 1024
/** The longest reason of a count, in characters. A longer one is a text and not a code. */
export const MAX_REASON = 100

/** The stored name of a count, for example `fcm failed UNREGISTERED`. */
export function encodeCountName({ provider, counted, reason }: Omit<ReportCount, 'count'>): string {
  return reason === '' ? `${provider} ${counted}` : `${provider} ${counted} ${reason.slice(0, MAX_REASON)}`
}

/** Reads a count; undefined if it is not above 0, or if `name` is not the stored name of a count. */
export function decodeCount(name: string, count: number): ReportCount | undefined {
  const [, provider = '', word, reason = ''] = /^(\w+) (\w+)(?: (.*))?$/s.exec(name) ?? []
  const counted = COUNTED.find((known) => known === word)
  return counted && count > 0 && isProviderName(provider) ? { provider, counted, reason, count } : undefined
}

/** The changes of a report by a page: its targets as lines, and the devices that get no push. */
export function countPage({ batches, leftOut = [] }: Page): ReportCount[] {
  const counts: ReportCount[] = []
  for (const { provider, targets, count } of batches) {
    // The targets of a range are counted when its worker has read them.
    if (targets.kind === 'lines') counts.push({ provider, counted: 'target', reason: '', count })
  }
  for (const { provider, reason, count } of leftOut) {
    counts.push({ provider, counted: 'target', reason: '', count }, { provider, counted: 'dropped', reason, count })
  }
  return counts
}

/** The changes of a report when a batch fails as a whole. The targets of a range were not counted before. */
export function countFailedBatch(
  batch: Pick<BatchClaim, 'provider' | 'isRetry' | 'count'>,
  kind: BatchTargets<unknown>['kind'],
  reason: string,
): ReportCount[] {
  const { provider, count } = batch
  return [
    ...(kind === 'range' ? [{ provider, counted: 'target', reason: '', count } as const] : []),
    ...(batch.isRetry ? [{ provider, counted: 'retrying', reason: '', count: -count } as const] : []),
    { provider, counted: 'failed', reason, count },
  ]
}

/** The changes of a report when a dead letter is sent again. The worker that reads a range counts its targets. */
export function countRetried({ provider, reason, count, targets }: DeadLetter): ReportCount[] {
  return [
    { provider, counted: 'failed', reason, count: -count },
    ...(targets.kind === 'range' ? [{ provider, counted: 'target', reason: '', count: -count } as const] : []),
  ]
}

/** Adds up changes by their stored name. */
export function sumCounts(counts: readonly ReportCount[]): Map<string, number> {
  const sums = new Map<string, number>()
  for (const count of counts) {
    const name = encodeCountName(count)
    sums.set(name, (sums.get(name) ?? 0) + count.count)
  }
  return sums
}

const StoredSubject = v.object({
  providers: v.array(v.picklist(PROVIDER_NAMES)),
  recipient: v.variant('kind', [
    v.object({
      kind: v.literal('filter'),
      filter: v.optional(StoredFilter),
    }),
    v.object({
      kind: v.literal('native'),
      provider: v.picklist(PROVIDER_NAMES),
      targetKind: v.picklist(['token', 'topic', 'condition']),
      value: v.optional(v.string()),
    }),
  ]),
})

/** Encodes the subject of a send to its stored text. */
export function encodeSubject({ recipient, content }: Pick<Send, 'recipient' | 'content'>): string {
  const subject: v.InferInput<typeof StoredSubject> = {
    providers: [...content.notifications.keys()],
    recipient: describe(recipient),
  }
  const text = JSON.stringify(subject)
  if (Buffer.byteLength(text) <= MAX_SUBJECT_BYTES) return text
  return JSON.stringify({ ...subject, recipient: { ...subject.recipient, filter: undefined, value: undefined } })
}

/** Reads a stored subject. @throws ValiError if a newer server stored a format that this one can't read */
export function decodeSubject(text: string): ReportSubject {
  return v.parse(StoredSubject, JSON.parse(text))
}

function describe(recipient: Recipient): v.InferInput<typeof StoredSubject>['recipient'] {
  if (recipient.kind === 'filter') return { kind: 'filter', filter: encodeFilter(recipient.filter) }
  const { kind, provider, targetKind, values } = recipient
  return { kind, provider, targetKind, ...(targetKind !== 'token' && { value: values[0] }) }
}

// Converts the replies of the Lua scripts to types of the queue's contract.
import * as v from 'valibot'
import { PROVIDER_NAMES } from '../../config/provider-names.ts'
import { type ReplyRow, readTable } from '../../redis/reply-table.ts'
import { TARGET_KINDS } from '../../sends/recipient.ts'
import type { BatchClaim, BatchTargets, DeviceRange } from '../batch.ts'
import type { Lane } from '../lane.ts'
import type { Pause } from '../queue.ts'
import type { SendClaim } from '../send.ts'
import { decodeContent, decodeRecipient } from '../stored-send.ts'
import { makeClaimId } from './claim-id.ts'
import { decodeRange } from './stored-targets.ts'

const bytes = v.instance(Buffer)
const text = v.pipe(
  bytes,
  v.transform((value) => value.toString()),
)
const maybeDigits = v.pipe(
  text,
  v.transform((value) => (value === '' ? undefined : Number(value))),
)
const provider = v.pipe(text, v.picklist(PROVIDER_NAMES))
const SEND_STATES = ['live', 'cancelled', 'expired'] as const

/** Reads a reply that is one of `words`. */
export function readWord<const Word extends string>(reply: unknown, words: readonly Word[]): Word {
  const found = words.find((word) => word === String(reply))
  if (found === undefined) throw new Error(`redis: a script replied none of ${words.join(', ')}`)
  return found
}

/**
 * Reads the reply of claim-sends.lua.
 * @throws ValiError if a newer server stored a format that this one can't read
 */
export function readSendClaims(reply: unknown, lane: Lane): SendClaim[] {
  return readTable(reply, (row) => ({
    uid: row.readText('uid'),
    lane,
    recipient: decodeRecipient(row.readBytes('recipient')),
    content: decodeContent(row.readBytes('content')),
    fence: row.readNumber('fence'),
    cursor: row.readNullableText('cursor'),
    hasExclusions: row.readNumber('has_exclusions') === 1,
  }))
}

/**
 * A claimed batch as the script returns it: the claim, and its targets as lines, as the key that holds the lines, or as
 * a range.
 */
export interface FoundBatch {
  claim: Omit<BatchClaim, 'targets'>
  lines: Buffer
  /** The key that holds the target lines; empty if `lines` has them. */
  targetsKey: string
  /** The range of devices; undefined for a batch of lines. */
  range: DeviceRange | undefined
}

/** Reads the reply of claim-batches.lua. */
export function readFoundBatches(reply: unknown, lane: Lane): FoundBatch[] {
  return readTable(reply, (row) => ({
    claim: readClaim(row, lane),
    lines: row.readBytes('lines'),
    targetsKey: row.readNullableText('targetsKey') ?? '',
    range: readRange(row),
  }))
}

function readRange(row: ReplyRow): DeviceRange | undefined {
  const range = row.readNullableText('range')
  return range === undefined ? undefined : decodeRange(range)
}

function readClaim(row: ReplyRow, lane: Lane): FoundBatch['claim'] {
  const fence = row.readNumber('fence')
  const uid = row.readText('uid')
  const content = row.readNullableBytes('content')
  const provider = row.readWord('provider', PROVIDER_NAMES)
  return {
    provider,
    id: makeClaimId({ lane, provider }, row.readText('id')),
    uid,
    analyticsUid: row.readNullableText('analyticsUid') ?? uid,
    lane,
    targetKind: row.readWord('targetKind', TARGET_KINDS),
    count: row.readNumber('count'),
    fence,
    attempt: row.readNumber('attemptsBefore') + fence,
    isRetry: row.readNumber('isRetry') === 1,
    ambiguousAttempts: row.readNumber('ambiguousAttempts'),
    ageMs: row.readNumber('ageMs'),
    sendState: row.readWord('sendState', SEND_STATES),
    expiresInMs: row.readNullableNumber('expiresInMs'),
    hasExclusions: row.readNumber('hasExclusions') === 1,
    finished: row.readNullableBytes('settled'),
    finishedNote: row.readNullableText('note') ?? '',
    isProbe: row.readNumber('isProbe') === 1,
    ...(content && { content: decodeContent(content) }),
  }
}

/** Reads the reply of claim-abandoned.lua. */
export function readAbandoned(reply: unknown) {
  return readTable(reply, (row) => ({
    id: row.readText('id'),
    uid: row.readText('uid'),
    targetKind: row.readWord('targetKind', TARGET_KINDS),
    count: row.readNumber('count'),
    targets: readTargets(row),
    fence: row.readNumber('fence'),
    attempt: row.readNumber('attempt'),
    isRetry: row.readText('isRetry') === '1',
  }))
}

function readTargets(row: ReplyRow): BatchTargets<string> {
  const range = readRange(row)
  return range ? { kind: 'range', range } : { kind: 'lines', lines: row.readText('lines') }
}

const Names = v.array(v.unknown())
const Counts = v.object({
  jobs: v.number(),
  delayed: v.number(),
  scheduled: v.number(),
  deadLetters: v.number(),
  pauses: v.array(v.tuple([provider, text, maybeDigits])),
  streams: v.array(v.tuple([v.number(), v.number(), v.number()])),
})

/** Reads the reply of stats.lua. The result has its `streams` in the order of the KEYS that the script got. */
export function readCounts(reply: unknown) {
  const list = v.parse(Names, reply)
  const pairs = list.flatMap((name, index) => (index % 2 === 0 ? [[v.parse(text, name), list[index + 1]]] : []))
  const { pauses, streams, ...counts } = v.parse(Counts, Object.fromEntries(pairs))
  return {
    ...counts,
    pauses: pauses.map(([provider, reason, probeInMs]): Pause => ({ provider, reason, probeInMs })),
    streams: streams.map(([waiting, inFlight, oldestMs]) => ({ waiting, inFlight, oldestMs })),
  }
}

// The replies of the scripts as types of the contract.
import * as v from 'valibot'
import { PROVIDER_NAMES } from '../../config/provider-names.ts'
import type { BatchClaim, Lane, Pause, SendClaim } from '../queue.ts'
import { decodeContent, decodeRecipient } from '../send-content.ts'

const bytes = v.instance(Buffer)
const text = v.pipe(
  bytes,
  v.transform((value) => value.toString()),
)
const digits = v.pipe(text, v.transform(Number))
const maybeDigits = v.pipe(
  text,
  v.transform((value) => (value === '' ? undefined : Number(value))),
)
const maybeBytes = v.pipe(
  bytes,
  v.transform((value) => (value.length === 0 ? undefined : value)),
)
const oneOrZero = v.pipe(
  v.number(),
  v.transform((value) => value === 1),
)
const provider = v.pipe(text, v.picklist(PROVIDER_NAMES))
const targetKind = v.pipe(text, v.picklist(['token', 'topic', 'condition']))

/** Reads a reply that is one of some words. */
export function readWord<const Word extends string>(reply: unknown, words: readonly Word[]): Word {
  return v.parse(v.pipe(text, v.picklist(words)), reply)
}

const Table = v.tupleWithRest([text], v.array(v.unknown()))

/** Reads a table: a header with the names of the columns, separated by spaces, then the rows. */
function readTable<Row extends v.GenericSchema>(reply: unknown, row: Row): v.InferOutput<Row>[] {
  const [header, ...rows] = v.parse(Table, reply)
  const names = header.split(' ')
  return rows.map((values) => {
    const fields: Record<string, unknown> = {}
    for (let column = 0; column < names.length; column++) fields[names[column] ?? ''] = values[column]
    return v.parse(row, fields)
  })
}

const SendRow = v.object({ uid: text, recipient: bytes, content: bytes, fence: v.number(), cursor: v.nullable(text) })

/** Reads the reply of claim-sends.lua. @throws ValiError when a newer server stored something that this one can't read */
export function readSendClaims(reply: unknown, lane: Lane): SendClaim[] {
  return readTable(reply, SendRow).map(({ recipient, content, cursor, ...claim }) => ({
    ...claim,
    lane,
    recipient: decodeRecipient(recipient),
    content: decodeContent(content),
    cursor: cursor ?? undefined,
  }))
}

const BatchRow = v.object({
  provider,
  id: text,
  uid: text,
  targetKind,
  count: digits,
  lines: bytes,
  targetsKey: text,
  fence: v.number(),
  attemptsBefore: digits,
  ambiguousAttempts: digits,
  ageMs: digits,
  sendState: v.pipe(text, v.picklist(['live', 'cancelled', 'expired'])),
  expiresInMs: maybeDigits,
  hasExclusions: oneOrZero,
  settled: maybeBytes,
  isProbe: oneOrZero,
  content: maybeBytes,
})

/** A claim without its target lines, and these or the key that holds them. */
export interface FoundBatch {
  claim: Omit<BatchClaim, 'lines'>
  lines: Buffer
  /** Empty when the lines are in `lines`. */
  targetsKey: string
}

/** Reads the reply of claim-batches.lua. The id of a claim is that of its entry: unique with its lane and provider. */
export function readFoundBatches(reply: unknown, lane: Lane): FoundBatch[] {
  return readTable(reply, BatchRow).map(
    ({ lines, targetsKey, attemptsBefore, hasExclusions: hasDrops, content, ...claim }) => ({
      claim: {
        ...claim,
        lane,
        attempt: attemptsBefore + claim.fence,
        hasDrops,
        ...(content && { content: decodeContent(content) }),
      },
      lines,
      targetsKey,
    }),
  )
}

const AbandonedRow = v.object({
  id: text,
  uid: text,
  targetKind,
  count: digits,
  lines: text,
  fence: v.number(),
  attempt: digits,
})

/** Reads the reply of claim-abandoned.lua. */
export function readAbandoned(reply: unknown) {
  return readTable(reply, AbandonedRow)
}

const Names = v.array(v.unknown())
const Counts = v.object({
  jobs: v.number(),
  scheduled: v.number(),
  deadLetters: v.number(),
  pauses: v.array(v.tuple([provider, text, maybeDigits])),
  streams: v.array(v.tuple([v.number(), v.number(), v.number()])),
})

/** Reads the reply of stats.lua. `streams` are in the order of the script's keys. */
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

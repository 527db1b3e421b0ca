// What scripts return, as their first lines say, into what the contract has.
import * as v from 'valibot'
import { PROVIDER_NAMES } from '../../config/provider-names.ts'
import type { BatchClaim } from '../batch.ts'
import type { DeadLetter } from '../dead-letter.ts'
import type { Lane } from '../lane.ts'
import type { Pause } from '../queue.ts'
import type { SendClaim } from '../send.ts'
import { decodeContent, decodeRecipient } from '../stored-send.ts'

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

/** A word that tells how it went. */
export function readWord<const Word extends string>(reply: unknown, words: readonly Word[]): Word {
  return v.parse(v.pipe(text, v.picklist(words)), reply)
}

const Sends = v.array(v.tuple([text, bytes, bytes, v.number(), v.nullable(text)]))

export function readSendClaims(reply: unknown, lane: Lane): SendClaim[] {
  return v.parse(Sends, reply).map(([uid, recipient, content, fence, cursor]) => ({
    uid,
    lane,
    recipient: decodeRecipient(recipient),
    content: decodeContent(content),
    fence,
    cursor: cursor ?? undefined,
  }))
}

const Batches = v.array(
  v.tuple([
    v.pipe(text, v.picklist(PROVIDER_NAMES)),
    text,
    text,
    v.pipe(text, v.picklist(['token', 'topic', 'condition'])),
    digits,
    bytes,
    text,
    v.number(),
    digits,
    digits,
    digits,
    v.pipe(text, v.picklist(['live', 'cancelled', 'expired'])),
    maybeDigits,
    v.number(),
    bytes,
    v.number(),
    bytes,
  ]),
)

/** A claim without its targets, and these, or the key that has them. */
export interface FoundBatch {
  claim: Omit<BatchClaim, 'lines'>
  inline: Buffer
  /** Empty where they are inline. */
  targetsKey: string
}

/** The id of a claim is that of its stream's entry; with lane and provider it names it for good. */
export function readFoundBatches(reply: unknown, lane: Lane): FoundBatch[] {
  return v.parse(Batches, reply).map((fields) => {
    const [provider, id, uid, targetKind, count, inline, targetsKey, deliveries, attempts, ...more] = fields
    const [ambiguousAttempts, ageMs, sendState, expiresInMs, drops, settled, probe, content] = more
    const claim = {
      id,
      uid,
      lane,
      provider,
      targetKind,
      count,
      fence: deliveries,
      attempt: attempts + deliveries,
      ambiguousAttempts,
      ageMs,
      expiresInMs,
      sendState,
      hasDrops: drops === 1,
      settled: settled.length > 0 ? settled : undefined,
      isProbe: probe === 1,
      ...(content.length > 0 && { content: decodeContent(content) }),
    }
    return { claim, inline, targetsKey }
  })
}

const Abandoned = v.array(
  v.tuple([text, text, v.pipe(text, v.picklist(['token', 'topic', 'condition'])), digits, text, v.number(), digits]),
)

/** Batches that were claimed to be buried. */
export function readAbandoned(reply: unknown) {
  return v.parse(Abandoned, reply).map(([id, uid, targetKind, count, lines, fence, attempt]) => ({
    id,
    uid,
    targetKind,
    count,
    lines,
    fence,
    attempt,
  }))
}

const Pauses = v.array(v.tuple([v.pipe(text, v.picklist(PROVIDER_NAMES)), text, maybeDigits]))
const Stats = v.tuple([
  v.number(),
  v.number(),
  v.number(),
  Pauses,
  v.array(v.tuple([v.number(), v.number(), v.number()])),
])

/** What the queue looks like: `jobs` are batches and due sends in all, `streams` are in the order they were asked for. */
export function readQueueLook(reply: unknown) {
  const [jobs, scheduled, deadLetters, pauses, streams] = v.parse(Stats, reply)
  return {
    jobs,
    scheduled,
    deadLetters,
    pauses: pauses.map(([provider, reason, probeInMs]): Pause => ({ provider, reason, probeInMs })),
    streams: streams.map(([waiting, inFlight, oldestMs]) => ({ waiting, inFlight, oldestMs })),
  }
}

/** A dead letter, and the stream it came from. */
export type StoredLetter = DeadLetter & { lane: Lane }

const Entries = v.array(v.tuple([v.string(), v.array(v.string())]))
const Letter = v.object({
  u: v.string(),
  p: v.picklist(PROVIDER_NAMES),
  l: v.picklist(['small', 'broadcast']),
  n: v.pipe(v.string(), v.transform(Number)),
  t: v.string(),
  r: v.string(),
  a: v.pipe(v.string(), v.transform(Number)),
})

export function readDeadLetters(reply: unknown): StoredLetter[] {
  return v.parse(Entries, reply).map(([id, fields]) => {
    const pairs = fields.flatMap((name, index) => (index % 2 === 0 ? [[name, fields[index + 1]]] : []))
    const { u, p, l, n, t, r, a } = v.parse(Letter, Object.fromEntries(pairs))
    const givenUpAtMs = Number(id.split('-')[0])
    return { id, uid: u, provider: p, lane: l, count: n, lines: t, reason: r, attempts: a, givenUpAtMs }
  })
}

import * as v from 'valibot'
import { PROVIDER_NAMES } from '../../config/provider-names.ts'
import type { DeadLetter } from '../dead-letter.ts'
import { LANES, type Lane } from '../lane.ts'
import { decodeRange } from './stored-targets.ts'

/** A dead letter, and the lane of the batch that it comes from. */
export type StoredLetter = DeadLetter & { lane: Lane }

const digits = v.pipe(v.string(), v.transform(Number))
const Entries = v.array(v.tuple([v.string(), v.array(v.string())]))
/** The fields of a dead letter's stream entry, as acknowledge.lua writes them. */
const Letter = v.object({
  u: v.string(),
  p: v.picklist(PROVIDER_NAMES),
  l: v.picklist(LANES),
  n: digits,
  /** The target lines; absent if the targets are a range of devices. */
  t: v.optional(v.string()),
  d: v.optional(v.string()),
  r: v.string(),
  a: digits,
})

/** Reads dead letters from stream entries. */
export function readDeadLetters(reply: unknown): StoredLetter[] {
  return v.parse(Entries, reply).map(([id, fields]) => {
    const pairs = fields.flatMap((name, index) => (index % 2 === 0 ? [[name, fields[index + 1]]] : []))
    const {
      u: uid,
      p: provider,
      l: lane,
      n: count,
      t: lines = '',
      d: range,
      r: reason,
      a: attempts,
    } = v.parse(Letter, Object.fromEntries(pairs))
    // The first half of an entry's id is the time at which it was written.
    const givenUpAtMs = Number(id.split('-')[0])
    const targets: DeadLetter['targets'] =
      range === undefined ? { kind: 'lines', lines } : { kind: 'range', range: decodeRange(range) }
    return { id, uid, provider, lane, count, targets, reason, attempts, givenUpAtMs }
  })
}

// The note of a checkpoint: the finished targets of a batch that were not sent. A worker that claims the batch again
// counts all other finished targets as sent.
import * as v from 'valibot'
import { FINAL_OUTCOMES } from '../queue/report.ts'
import type { EndedTargets } from './ended-targets.ts'
import { isFinished, type OpenBatch, type OpenTarget } from './open-batch.ts'

/** Finished targets with the same outcome, by their positions in the batch. */
const Group = v.object({ outcome: v.picklist(FINAL_OUTCOMES), reason: v.string(), places: v.array(v.number()) })
export type FinishedGroup = v.InferOutput<typeof Group>
const Note = v.array(Group)

/** Makes the note of groups of finished targets. */
export function encodeFinishedNote(groups: readonly FinishedGroup[]): string {
  const filled = groups.filter(({ places }) => places.length > 0)
  return filled.length === 0 ? '' : JSON.stringify(filled)
}

/** Reads a note. */
export function decodeFinishedNote(note: string): FinishedGroup[] {
  return note === '' ? [] : v.parse(Note, JSON.parse(note))
}

/** Makes a group of finished targets. */
export function groupOf(
  outcome: FinishedGroup['outcome'],
  reason: string,
  targets: readonly OpenTarget[],
): FinishedGroup {
  return { outcome, reason, places: targets.map(({ place }) => place) }
}

/** The target lines of a group. */
export function linesOf({ lines }: Pick<OpenBatch, 'lines'>, { places }: FinishedGroup): string[] {
  return places.flatMap((place) => lines[place] ?? [])
}

/** The targets that an interrupted attempt of the batch finished. It has recorded them. */
export function listFinished({ lines, finished, finishedNote }: OpenBatch): EndedTargets[] {
  if (!finished) return []
  const groups = decodeFinishedNote(finishedNote)
  const unsent = new Set(groups.flatMap(({ places }) => places))
  const sent = lines.filter((_, place) => isFinished(finished, place) && !unsent.has(place))
  const ended = groups.map((group): EndedTargets => {
    return { outcome: group.outcome, reason: group.reason, message: '', lines: linesOf({ lines }, group) }
  })
  return sent.length === 0 ? ended : [{ outcome: 'sent', reason: '', message: '', lines: sent }, ...ended]
}

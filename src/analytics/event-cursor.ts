import { CursorError } from './analytics.ts'

/** The last row of a page. The next page begins after it. */
export interface EventCursor {
  /** The time of the row, as Unix time in ms. */
  timeMs: number
  /** The number that orders rows of the same time, in decimal digits. */
  tie: string
  /** How many rows of the same time and number were listed. They are equal in all columns. */
  skip: number
}

/** Encodes the cursor of a page as text. */
export function encodeEventCursor({ timeMs, tie, skip }: EventCursor): string {
  return `${timeMs}-${tie}-${skip}`
}

/**
 * Parses the text of a cursor; undefined if it is empty.
 * @param maxTie the largest number that the store has
 * @throws CursorError
 */
export function parseEventCursor(text: string, maxTie: bigint): EventCursor | undefined {
  if (text === '') return undefined
  const [, timeMs, tie, skip] = /^(\d{1,13})-(\d{1,20})-(\d{1,9})$/.exec(text) ?? []
  if (timeMs === undefined || tie === undefined || BigInt(tie) > maxTie) throw new CursorError('not a cursor of events')
  return { timeMs: Number(timeMs), tie, skip: Number(skip) }
}

import { nextItem, skipSpace, skipString, skipValue } from './scanner.ts'
import { decodeString } from './strings.ts'

/** A member of a JSON object, as positions in the source: starts are inclusive, ends exclusive. */
export interface JsonMember {
  /** The key of the member, decoded. */
  name: string
  /**
   * The range of the member with the white space around it: all bytes between two commas, or between a comma and a
   * brace.
   */
  start: number
  end: number
  valueStart: number
  valueEnd: number
}

/**
 * Reads the members of a valid JSON object in their order, with duplicates.
 * @param from the position of the opening brace
 */
export function* readMembers(source: Buffer, from: number): Generator<JsonMember, void> {
  // The position of the brace or comma before the next member.
  let before = from
  let keyStart = nextItem(source, from + 1)
  while (keyStart !== undefined) {
    const keyEnd = skipString(source, keyStart)
    const name = decodeString(source, keyStart, keyEnd)
    const colon = skipSpace(source, keyEnd)
    const valueStart = skipSpace(source, colon + 1)
    const valueEnd = skipValue(source, valueStart)
    const end = skipSpace(source, valueEnd)
    yield { name, start: before + 1, end, valueStart, valueEnd }
    before = end
    keyStart = nextItem(source, end)
  }
}

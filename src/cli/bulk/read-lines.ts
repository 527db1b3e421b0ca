// A line of NDJSON, with the position after it, from which a later run can continue.

export interface Line {
  /** The number of the line, from 1. */
  number: number
  /** The line without its line feed; undefined if it has more than MAX_LINE_BYTES. */
  bytes: Buffer | undefined
  /** Bytes from the start of the input to the start of the next line. */
  endOffset: number
}

/** The position after a line: its offset in bytes and the number of the line. */
export interface LinePosition {
  offset: number
  line: number
}

/** The most bytes of a line: far more than the longest valid record has. Bounds the memory for any input. */
const MAX_LINE_BYTES = 1024 * 1024
const LINE_FEED = 0x0a
const OPEN_BRACE = 0x7b

/**
 * Splits the bytes of `chunks` into lines. Empty lines are left out.
 * @param start the position at which `chunks` begin
 */
export async function* readLines(chunks: AsyncIterable<Buffer>, start: LinePosition): AsyncGenerator<Line> {
  let { offset, line: number } = start
  let pieces: Buffer[] = []
  let pieceBytes = 0
  const take = (): Buffer | undefined => {
    const bytes = pieceBytes > MAX_LINE_BYTES ? undefined : Buffer.concat(pieces)
    pieces = []
    pieceBytes = 0
    return bytes
  }
  const add = (piece: Buffer) => {
    pieceBytes += piece.length
    if (pieceBytes <= MAX_LINE_BYTES) pieces.push(piece)
    else pieces = []
  }
  for await (const chunk of chunks) {
    let from = 0
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      add(chunk.subarray(from, end))
      offset += end + 1 - from
      from = end + 1
      number++
      const bytes = take()
      if (!isBlank(bytes)) yield { number, bytes, endOffset: offset }
    }
    add(chunk.subarray(from))
    offset += chunk.length - from
  }
  const last = take()
  if (!isBlank(last)) yield { number: number + 1, bytes: last, endOffset: offset }
}

/** Whether the line is only white space. The first byte nearly always decides, which saves decoding the line. */
function isBlank(bytes: Buffer | undefined): boolean {
  return bytes !== undefined && bytes[0] !== OPEN_BRACE && bytes.toString('latin1').trim() === ''
}

// Many target lines as bytes, separated by line feeds. Lines stay bytes from the device table to the queue: decoding a
// page of 10,000 costs more than storing it.
const LINE_FEED = 0x0a
/** Length of a uuid as text, with which the line of a device begins. */
const UUID_LENGTH = 36
const SEPARATOR = Buffer.of(LINE_FEED)
/** V8 allocates strings above 128 KB outside its pools, in fresh memory that the kernel has to clear first. */
const PIECE_BYTES = 64 * 1024

/** Splits bytes into lines, as strings. */
export function decodeLines(bytes: Buffer): string[] {
  if (bytes.length <= PIECE_BYTES) return bytes.toString().split('\n')
  const lines: string[] = []
  for (let from = 0; from <= bytes.length; ) {
    const end = bytes.length - from <= PIECE_BYTES ? bytes.length : findPieceEnd(bytes, from)
    for (const line of bytes.toString('utf8', from, end).split('\n')) lines.push(line)
    from = end + 1
  }
  return lines
}

/** The end of the last whole line within a piece, or of the first line if that is longer. */
function findPieceEnd(bytes: Buffer, from: number): number {
  const last = bytes.lastIndexOf(LINE_FEED, from + PIECE_BYTES)
  if (last >= from) return last
  const first = bytes.indexOf(LINE_FEED, from)
  return first < 0 ? bytes.length : first
}

/** How many lines there are; an empty buffer is one empty line. */
export function countLines(lines: Buffer): number {
  let count = 1
  for (let at = lines.indexOf(LINE_FEED); at !== -1; at = lines.indexOf(LINE_FEED, at + 1)) count++
  return count
}

/** The uuid of the device in the last line. */
export function lastDevice(lines: Buffer): string {
  const start = lines.lastIndexOf(LINE_FEED) + 1
  return lines.toString('ascii', start, start + UUID_LENGTH)
}

/** Concatenates lines, in order. */
export function joinLines(parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts.flatMap((lines, index) => (index === 0 ? [lines] : [SEPARATOR, lines])))
}

/** Splits lines into parts of at most `size`, each with its number of lines. No copies. */
export function splitLines(lines: Buffer, count: number, size: number): { lines: Buffer; count: number }[] {
  if (count <= size) return count === 0 ? [] : [{ lines, count }]
  const parts: { lines: Buffer; count: number }[] = []
  let from = 0
  for (let left = count; left > 0; left -= size) {
    const end = left <= size ? lines.length : findLineEnd(lines, from, size)
    parts.push({ lines: lines.subarray(from, end), count: Math.min(left, size) })
    from = end + 1
  }
  return parts
}

/** Where the `count`th line from `from` ends. */
function findLineEnd(lines: Buffer, from: number, count: number): number {
  let end = from - 1
  for (let line = 0; line < count; line++) end = lines.indexOf(LINE_FEED, end + 1)
  return end
}

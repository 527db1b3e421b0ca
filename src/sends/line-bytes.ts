// Many target lines as bytes, separated by line feeds. Lines stay bytes on their way from the device table to the
// queue: to decode a page of 10,000 lines costs more than to store it.
const LINE_FEED = 0x0a
/** The length of a uuid as text. The line of a device begins with its uuid. */
const UUID_LENGTH = 36
const SEPARATOR = Buffer.of(LINE_FEED)
/**
 * The most bytes that are decoded to one string: V8 allocates strings above 128 KB outside its pools, in new memory
 * that the kernel has to clear first.
 */
const PIECE_BYTES = 64 * 1024

/** Decodes target lines to strings, one for each line. */
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

/**
 * Where a piece of at most PIECE_BYTES ends: after the last whole line in it, or after the first line if that is
 * longer.
 */
function findPieceEnd(bytes: Buffer, from: number): number {
  const last = bytes.lastIndexOf(LINE_FEED, from + PIECE_BYTES)
  if (last >= from) return last
  const first = bytes.indexOf(LINE_FEED, from)
  return first < 0 ? bytes.length : first
}

/** The number of target lines. An empty buffer counts as one empty line. */
export function countLines(lines: Buffer): number {
  let count = 1
  for (let at = lines.indexOf(LINE_FEED); at !== -1; at = lines.indexOf(LINE_FEED, at + 1)) count++
  return count
}

/** The uuid of the device in the last target line. */
export function lastDevice(lines: Buffer): string {
  const start = lines.lastIndexOf(LINE_FEED) + 1
  return lines.toString('ascii', start, start + UUID_LENGTH)
}

/** Concatenates parts of target lines, in their order. */
export function joinLines(parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts.flatMap((lines, index) => (index === 0 ? [lines] : [SEPARATOR, lines])))
}

/**
 * Splits target lines into parts of at most `size` lines, each with its number of lines. The parts are views, not
 * copies.
 */
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

/** The end of the `count`th line, counted from the line that starts at `from`: the position of its line feed. */
function findLineEnd(lines: Buffer, from: number, count: number): number {
  let end = from - 1
  for (let line = 0; line < count; line++) end = lines.indexOf(LINE_FEED, end + 1)
  return end
}

/** The sizes of the parts of a key's value (take-grants.lua), in bytes: of the header, of each time and of each id. */
const [HEADER_BYTES, TIME_BYTES, ID_BYTES] = [8, 6, 10]

/** Reads the times of a key's grants from its value, in Unix ms, ascending. */
export function readGrantTimes(value: Buffer): number[] {
  const count = (value.length - HEADER_BYTES) / (TIME_BYTES + ID_BYTES)
  return Array.from({ length: count }, (_, place) => value.readUIntBE(HEADER_BYTES + place * TIME_BYTES, TIME_BYTES))
}

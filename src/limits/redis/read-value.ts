/** The format of a value (take-grants.lua): a header, then the times, then the ids. */
const [HEADER_BYTES, TIME_BYTES, ID_BYTES] = [8, 6, 10]

/** Reads the times of a key's grants in Unix ms, ascending. */
export function readGrantTimes(value: Buffer): number[] {
  const count = (value.length - HEADER_BYTES) / (TIME_BYTES + ID_BYTES)
  return Array.from({ length: count }, (_, place) => value.readUIntBE(HEADER_BYTES + place * TIME_BYTES, TIME_BYTES))
}

/** A field of a result that a node leaves out of its reply: zero, empty or absent. */
function isZero(value: unknown): boolean {
  if (value === undefined || value === '' || value === 0 || value === false) return true
  if (Array.isArray(value)) return value.length === 0
  return false
}

/**
 * A result message without its zero values, as Go's `omitempty` leaves them out. Shallow: nested messages go through it
 * themselves, the values of a map are data and stay. `items` is always an array.
 */
export function withoutZeroValues<Fields extends Record<string, unknown>>(fields: Fields): Partial<Fields> {
  const kept: Partial<Fields> = {}
  for (const name in fields) {
    if (name === 'items' || !isZero(fields[name])) kept[name] = fields[name]
  }
  return kept
}

/** A `map<string, string>` of a result: an object in key order, undefined when there is nothing in it. */
export function encodeMap(map: ReadonlyMap<string, string>): Record<string, string> | undefined {
  return map.size === 0 ? undefined : Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)))
}

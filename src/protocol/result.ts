/** Whether a value is zero, empty or absent, so that a node leaves its field out of a reply. */
function isZero(value: unknown): boolean {
  if (value === undefined || value === '' || value === 0 || value === false) return true
  if (Array.isArray(value)) return value.length === 0
  return false
}

/**
 * Removes the zero values of a result's message, as Go's `omitempty` does. Nested messages are not changed: call it for
 * each of them too. Values of a map are kept, because they are data. The field `items` is always an array.
 */
export function withoutZeroValues<Fields extends Record<string, unknown>>(fields: Fields): Partial<Fields> {
  const kept: Partial<Fields> = {}
  for (const name in fields) {
    if (name === 'items' || !isZero(fields[name])) kept[name] = fields[name]
  }
  return kept
}

/** Encodes a `map<string, string>` of a result as an object in the order of its keys; undefined for an empty map. */
export function encodeMap(map: ReadonlyMap<string, string>): Record<string, string> | undefined {
  return map.size === 0 ? undefined : Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)))
}

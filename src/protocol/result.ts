/** Whether a node leaves a field out of its reply: it is zero, empty or absent. */
function isZero(value: unknown): boolean {
  if (value === undefined || value === '' || value === 0 || value === false) return true
  if (Array.isArray(value)) return value.length === 0
  return false
}

/**
 * A message of a result without its zero values, as with Go's `omitempty`. Nested messages are not changed: call it for
 * them too. The values of a map stay, because they are data. `items` is always an array.
 */
export function withoutZeroValues<Fields extends Record<string, unknown>>(fields: Fields): Partial<Fields> {
  const kept: Partial<Fields> = {}
  for (const name in fields) {
    if (name === 'items' || !isZero(fields[name])) kept[name] = fields[name]
  }
  return kept
}

/** A `map<string, string>` of a result: an object in the order of its keys, undefined for an empty map. */
export function encodeMap(map: ReadonlyMap<string, string>): Record<string, string> | undefined {
  return map.size === 0 ? undefined : Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Parses the bytes of a notification, a valid JSON object. Of members with one name the last one counts. */
export function parseObject(json: Buffer): JsonObject {
  const value: unknown = JSON.parse(json.toString())
  return isObject(value) ? value : {}
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The member of a value that is an object too; undefined if there is none. */
export function objectIn(value: unknown, name: string): JsonObject | undefined {
  const member = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  return isObject(member) ? member : undefined
}

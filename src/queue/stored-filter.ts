import * as v from 'valibot'
import type { DeviceFilter } from '../sends/recipient.ts'

// A field that is absent has no values. Earlier versions stored all fields.
const values = v.optional(v.array(v.string()), [])

/** The stored form of a device filter. */
export const StoredFilter = v.object({
  ids: values,
  users: values,
  topics: values,
  providers: values,
  platforms: values,
})

const FIELDS = ['ids', 'users', 'topics', 'providers', 'platforms'] as const satisfies (keyof DeviceFilter)[]

/** The fields of a filter that have values. */
export function encodeFilter(filter: DeviceFilter): { [Field in keyof DeviceFilter]?: string[] } {
  const stored: { [Field in keyof DeviceFilter]?: string[] } = {}
  for (const field of FIELDS) if (filter[field].length > 0) stored[field] = [...filter[field]]
  return stored
}

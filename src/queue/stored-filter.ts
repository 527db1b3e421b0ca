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

/** The fields of a filter that have values. */
export function encodeFilter(filter: DeviceFilter): { [Field in keyof DeviceFilter]?: string[] } {
  return Object.fromEntries(
    Object.entries(filter).flatMap(([field, values]) => (values.length > 0 ? [[field, [...values]]] : [])),
  )
}

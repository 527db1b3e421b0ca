// A device as the device store returns it, and its conversion from a row of the table.
import * as v from 'valibot'
import type { ProviderName } from '../config/provider-names.ts'
import type { Fragment, Queryable } from '../database/pool.ts'
import { decodePlatform, decodeProvider, type PlatformName } from './codes.ts'
import { formatDeviceId } from './device-id.ts'

/** A registered device. */
export interface Device {
  id: string
  provider: ProviderName
  platform: PlatformName
  /** The push token; for `webpush` the endpoint of the subscription. */
  token: string
  /** The user of the device; empty for a device without a user. */
  user: string
  timezone: string
  locale: string
  /** Unix time in seconds of the first registration. */
  createdAtSeconds: number
  /** Unix time in seconds of the last registration or update. */
  updatedAtSeconds: number
  /** `meta`, `webPushKeys` and `topics` are empty unless the query includes them. */
  meta: ReadonlyMap<string, string>
  webPushKeys: string
  topics: readonly string[]
}

const DeviceRow = v.object({
  id: v.string(),
  provider: v.pipe(v.number(), v.transform(decodeProvider)),
  platform: v.pipe(v.number(), v.transform(decodePlatform)),
  token: v.string(),
  user_id: v.string(),
  timezone: v.string(),
  locale: v.string(),
  created_at: v.date(),
  updated_at: v.date(),
  webpush_keys: v.nullable(v.string()),
  // v.record is not used: it would leave out keys such as "constructor".
  meta: v.nullable(v.custom<Record<string, string>>(isStringRecord)),
})

/** The optional parts of a device. True: the query reads the part. */
export interface DeviceParts {
  meta: boolean
  webPushKeys: boolean
}

/** The columns of a row `d` of devices that readDevice() needs. */
export function deviceColumns(sql: Queryable, parts: DeviceParts): Fragment {
  return sql`d.id, d.provider, d.platform, d.token, d.user_id, d.timezone, d.locale, d.created_at, d.updated_at,
    ${parts.webPushKeys ? sql`d.webpush_keys` : sql`null as webpush_keys`},
    ${parts.meta ? sql`d.meta` : sql`null as meta`}`
}

/** Reads a device from a row that has deviceColumns(). The device's topics are not in the row. */
export function readDevice(row: unknown): { uuid: string; device: Device } {
  const { id: uuid, ...columns } = v.parse(DeviceRow, row)
  const device = {
    id: formatDeviceId(uuid, columns.provider),
    provider: columns.provider,
    platform: columns.platform,
    token: columns.token,
    user: columns.user_id,
    timezone: columns.timezone,
    locale: columns.locale,
    createdAtSeconds: unixSeconds(columns.created_at),
    updatedAtSeconds: unixSeconds(columns.updated_at),
    meta: new Map(Object.entries(columns.meta ?? {})),
    webPushKeys: columns.webpush_keys ?? '',
    topics: [],
  }
  return { uuid, device }
}

function isStringRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).every((item) => typeof item === 'string')
}

function unixSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000)
}

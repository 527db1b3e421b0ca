import { PROVIDER_NAMES } from '../../config/provider-names.ts'
import { PLATFORM_NAMES } from '../../devices/codes.ts'
import { parseDeviceFilter } from '../../devices/device-filter.ts'
import type { DeviceFilter } from '../../sends/recipient.ts'
import { splitList } from '../read-form.ts'

/** A filter of devices as the text of form fields. Several values are separated by commas. */
export interface DeviceFields {
  id: string
  user: string
  topic: string
  provider: string
  platform: string
}

/** The choices of a provider, with one for all. */
export const PROVIDER_OPTIONS = [['', 'all'], ...PROVIDER_NAMES.map((name) => [name, name] as const)] as const
/** The choices of a platform, with one for all. */
export const PLATFORM_OPTIONS = [['', 'all'], ...PLATFORM_NAMES.map((name) => [name, name] as const)] as const

/** Reads the fields of a filter. @param read returns the text of a field */
export function readDeviceFields(read: (name: string) => string | undefined): DeviceFields {
  const text = (name: string) => read(name)?.trim() ?? ''
  return {
    id: text('id'),
    user: text('user'),
    topic: text('topic'),
    provider: text('provider'),
    platform: text('platform'),
  }
}

/** The filter of these fields. @throws ApiError badRequest that names the field */
export function toDeviceFilter({ id, user, topic, provider, platform }: DeviceFields): DeviceFilter {
  return parseDeviceFilter({
    ids: splitList(id),
    users: splitList(user),
    topics: splitList(topic),
    providers: splitList(provider),
    platforms: splitList(platform),
  })
}

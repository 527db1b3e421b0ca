// A device in an import or export file: the fields of a device_register request and the additional ones of device_list.
import type * as v from 'valibot'
import { ApiError } from '../../protocol/errors.ts'
import { int64, message, string, stringMap, strings } from '../../protocol/wire-types.ts'
import { type DeviceTimes, parseRegistration, type Registration } from '../registration.ts'
import type { EndpointCheck } from '../web-push-endpoint.ts'

/** A line of an import, as the wire types decode it. */
export const DeviceRecordMessage = message({
  id: string,
  provider: string,
  /** The push token. For `webpush` a subscription as JSON, or its endpoint if the keys are in `webpush_keys`. */
  token: string,
  platform: string,
  user: string,
  meta: stringMap,
  topics: strings,
  timezone: string,
  locale: string,
  created_at: int64,
  updated_at: int64,
  webpush_keys: string,
})

/** A checked device of an import file. */
export type DeviceRecord = Registration & DeviceTimes

/** The largest time in seconds: the end of the year 9999. A larger value is in milliseconds by mistake. */
const MAX_SECONDS = 253_402_300_799

/** Checks a line of an import. @throws ApiError badRequest that names the field and never contains its value */
export function parseDeviceRecord(
  message: v.InferOutput<typeof DeviceRecordMessage>,
  checkEndpoint: EndpointCheck,
): DeviceRecord {
  const { provider, token, created_at, updated_at, webpush_keys: keys } = message
  const isApart = provider === 'webpush' && keys !== ''
  const request = isApart ? { ...message, token: joinSubscription(token, keys) } : message
  return {
    ...parseRegistration(request, checkEndpoint),
    createdAtSeconds: parseTime('created_at', created_at),
    updatedAtSeconds: parseTime('updated_at', updated_at),
  }
}

function parseTime(field: string, seconds: number): number | undefined {
  if (seconds < 0 || seconds > MAX_SECONDS) throw new ApiError('badRequest', `${field}: not a Unix time in seconds`)
  return seconds === 0 ? undefined : seconds
}

function joinSubscription(endpoint: string, keysJson: string): string {
  try {
    return JSON.stringify({ endpoint, keys: JSON.parse(keysJson) })
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new ApiError('badRequest', 'webpush_keys: not JSON')
  }
}

import type { ProviderName } from '../config/provider-names.ts'
import { ApiError } from '../protocol/errors.ts'
import type { DeviceRegisterRequest } from '../protocol/requests/push.ts'
import type { PlatformName } from './codes.ts'
import {
  checkList,
  checkMeta,
  checkTopic,
  checkUser,
  parseId,
  parseLocale,
  parsePlatform,
  parseProvider,
  parseTimezone,
  parseToken,
} from './field-checks.ts'
import type { EndpointCheck } from './web-push-endpoint.ts'
import { parseWebPushSubscription } from './web-push-subscription.ts'

/** The whole state of a device, as its registration request declares it. */
export interface Registration {
  /** The uuid of the device to update; undefined: the device with this token is updated, or a new one is stored. */
  uuid: string | undefined
  provider: ProviderName
  platform: PlatformName
  /** The push token; for `webpush` the endpoint of the subscription. */
  token: string
  /** The keys of a Web Push subscription as JSON; undefined for other providers. */
  webPushKeys: string | undefined
  user: string
  /** The topics that the request names. The store adds those of the user and of everyone. */
  topics: readonly string[]
  timezone: string
  locale: string
  meta: ReadonlyMap<string, string>
}

/** The times of an imported device: first registration and last change. Undefined: the time at which it is stored. */
export interface DeviceTimes {
  createdAtSeconds: number | undefined
  updatedAtSeconds: number | undefined
}

/** Checks a `device_register` request. @throws ApiError badRequest */
export function parseRegistration(request: DeviceRegisterRequest, checkEndpoint: EndpointCheck): Registration {
  const provider = parseProvider('provider', request.provider)
  return {
    uuid: request.id === '' ? undefined : parseGivenId(request.id, provider),
    provider,
    platform: parsePlatform('platform', request.platform),
    ...parseAddress(provider, request.token, checkEndpoint),
    user: checkUser('user', request.user),
    topics: checkList('topics', request.topics, checkTopic),
    timezone: parseTimezone('timezone', request.timezone),
    locale: parseLocale('locale', request.locale),
    meta: checkMeta('meta', request.meta),
  }
}

function parseGivenId(text: string, provider: ProviderName): string {
  const id = parseId('id', text)
  if (id.provider !== provider) throw new ApiError('badRequest', `id: its provider is ${id.provider}, not ${provider}`)
  return id.uuid
}

function parseAddress(
  provider: ProviderName,
  text: string,
  checkEndpoint: EndpointCheck,
): Pick<Registration, 'token' | 'webPushKeys'> {
  if (provider !== 'webpush') return { token: parseToken('token', provider, text), webPushKeys: undefined }
  const { endpoint, keys } = parseWebPushSubscription('token', text, checkEndpoint)
  return { token: endpoint, webPushKeys: keys }
}

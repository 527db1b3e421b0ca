import type { ProviderName } from '../config/provider-names.ts'
import { ApiError } from '../protocol/errors.ts'
import type { DeviceRegisterRequest } from '../protocol/requests/push.ts'
import type { PlatformName } from './codes.ts'
import {
  checkList,
  checkLocale,
  checkMeta,
  checkTimezone,
  checkToken,
  checkTopic,
  checkUser,
  parseId,
  parsePlatform,
  parseProvider,
} from './field-checks.ts'
import type { EndpointCheck } from './web-push-endpoint.ts'
import { parseWebPushSubscription } from './web-push-subscription.ts'

/** The whole state of a device as its registration declares it. */
export interface Registration {
  /** The device to update; undefined to find it by its token, or make a new one. */
  uuid: string | undefined
  provider: ProviderName
  platform: PlatformName
  /** For `webpush` the subscription's endpoint. */
  token: string
  /** For `webpush` the subscription's keys as JSON. */
  webPushKeys: string | undefined
  user: string
  /** Without those of the user, which the store adds. */
  topics: readonly string[]
  timezone: string
  locale: string
  meta: ReadonlyMap<string, string>
}

/** When a device from elsewhere was first registered, and when it last changed. Undefined: when it is stored. */
export interface DeviceTimes {
  createdAtSeconds: number | undefined
  updatedAtSeconds: number | undefined
}

/** A `device_register` request as the store takes it. @throws ApiError badRequest */
export function parseRegistration(request: DeviceRegisterRequest, checkEndpoint: EndpointCheck): Registration {
  const provider = parseProvider('provider', request.provider)
  return {
    uuid: request.id === '' ? undefined : parseGivenId(request.id, provider),
    provider,
    platform: parsePlatform('platform', request.platform),
    ...parseToken(provider, request.token, checkEndpoint),
    user: checkUser('user', request.user),
    topics: checkList('topics', request.topics, checkTopic),
    timezone: checkTimezone('timezone', request.timezone),
    locale: checkLocale('locale', request.locale),
    meta: checkMeta('meta', request.meta),
  }
}

function parseGivenId(text: string, provider: ProviderName): string {
  const id = parseId('id', text)
  if (id.provider !== provider) throw new ApiError('badRequest', `id: of provider ${id.provider}, not ${provider}`)
  return id.uuid
}

function parseToken(
  provider: ProviderName,
  text: string,
  checkEndpoint: EndpointCheck,
): Pick<Registration, 'token' | 'webPushKeys'> {
  if (provider !== 'webpush') return { token: checkToken('token', text), webPushKeys: undefined }
  const { endpoint, keys } = parseWebPushSubscription('token', text, checkEndpoint)
  return { token: endpoint, webPushKeys: keys }
}

import type { ProviderName } from '../config/provider-names.ts'
import { checkHeader as checkApnsHeader } from './apns/request-plan.ts'
import { checkHeader as checkWebPushHeader } from './webpush/request-headers.ts'

/**
 * Why a provider would refuse a header of the caller's notification; undefined if no problem is known.
 * @param value undefined if the value is a template, which is rendered only for each target
 */
export function checkHeader(provider: ProviderName, name: string, value: string | undefined): string | undefined {
  switch (provider) {
    case 'apns':
      return checkApnsHeader(name)
    case 'webpush':
      return value === undefined ? undefined : checkWebPushHeader(name, value)
    case 'fcm':
    case 'hms':
      // FCM and HMS requests have no header fields of the caller: headers for devices are part of the message.
      return undefined
  }
}

import type { ProviderName } from '../config/provider-names.ts'
import { checkHeader as checkApnsHeader } from './apns/request-plan.ts'
import { checkHeader as checkWebPushHeader } from './webpush/request-headers.ts'

/**
 * Why a provider would refuse a header of the caller; undefined if no problem is known.
 * @param value undefined if the value is a template that is not rendered yet
 */
export function checkHeader(provider: ProviderName, name: string, value: string | undefined): string | undefined {
  switch (provider) {
    case 'apns':
      return checkApnsHeader(name)
    case 'webpush':
      return value === undefined ? undefined : checkWebPushHeader(name, value)
    case 'fcm':
    case 'hms':
      // Their messages contain the headers.
      return undefined
  }
}

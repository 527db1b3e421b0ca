import type { ProviderName } from '../config/provider-names.ts'
import { checkHeader as checkApnsHeader } from './apns/request-plan.ts'
import { checkHeader as checkWebPushHeader } from './webpush/request-headers.ts'

/**
 * What is wrong with a header that a caller wants sent along; undefined when nothing is, as far as can be told.
 * @param value undefined where it is not known yet
 */
export function checkHeader(provider: ProviderName, name: string, value: string | undefined): string | undefined {
  switch (provider) {
    case 'apns':
      return checkApnsHeader(name)
    case 'webpush':
      return value === undefined ? undefined : checkWebPushHeader(name, value)
    case 'fcm':
    case 'hms':
      // Theirs stand in the message.
      return undefined
  }
}

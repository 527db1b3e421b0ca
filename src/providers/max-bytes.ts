import type { ProviderName } from '../config/provider-names.ts'
import { MAX_PAYLOAD_BYTES as MAX_APNS_BYTES, MAX_VOIP_PAYLOAD_BYTES } from './apns/request-plan.ts'
import { MAX_MESSAGE_BYTES as MAX_HMS_BYTES } from './hms/request-body.ts'
import { MAX_PAYLOAD_BYTES as MAX_WEBPUSH_BYTES } from './webpush/encrypt-payload.ts'

/**
 * The limit of FCM: "Maximum payload is 4096 bytes",
 * https://firebase.google.com/docs/cloud-messaging/customize-messages/set-message-type.
 */
const MAX_FCM_BYTES = 4096

/** The most bytes that a provider accepts in the `message` or `payload` of a notification. */
export function findMaxBytes(provider: ProviderName, headers: ReadonlyMap<string, string>): number {
  switch (provider) {
    case 'fcm':
      return MAX_FCM_BYTES
    case 'hms':
      return MAX_HMS_BYTES
    case 'apns':
      return headers.get('apns-push-type') === 'voip' ? MAX_VOIP_PAYLOAD_BYTES : MAX_APNS_BYTES
    case 'webpush':
      return MAX_WEBPUSH_BYTES
  }
}

// The size of a notification, as its provider counts it, and the provider's limit.
import type { ProviderName } from '../config/provider-names.ts'
import type { Notification } from '../sends/notification.ts'
import type { TargetKind } from '../sends/recipient.ts'
import { readApnsHeaders } from './apns/headers.ts'
import { maxPayloadBytes } from './apns/payload.ts'
import { pushTypeOfHeaders } from './apns/push-type.ts'
import { maxMessageBytes, measureMessage } from './fcm/size.ts'
import { MAX_HMS_MESSAGE_BYTES, measureHmsMessage } from './hms/message.ts'
import { MAX_WEB_PUSH_PAYLOAD_BYTES } from './webpush/payload.ts'

/** The most bytes of a notification. @param targetKind the kind of its targets, if it is known */
export function findMaxBytes(
  provider: ProviderName,
  { headers }: Notification,
  targetKind: TargetKind | undefined,
): number {
  switch (provider) {
    case 'fcm':
      return maxMessageBytes(targetKind)
    case 'hms':
      return MAX_HMS_MESSAGE_BYTES
    case 'apns':
      // No payload makes a push of the type `voip`, which has a limit of its own.
      return maxPayloadBytes(pushTypeOfHeaders(readApnsHeaders(headers)) ?? 'alert')
    case 'webpush':
      return MAX_WEB_PUSH_PAYLOAD_BYTES
  }
}

/** The bytes of a notification that count, never more than those of its JSON. It must not be a template any more. */
export function measureNotification(provider: ProviderName, { json }: Notification): number {
  switch (provider) {
    case 'fcm':
      return measureMessage(json)
    case 'hms':
      return measureHmsMessage(json)
    case 'apns':
    case 'webpush':
      return json.length
  }
}

import { expect, test } from 'vitest'
import { decodeMessage } from '../protocol/decode-message.ts'
import { SendPushNotificationRequest } from '../protocol/requests/push.ts'
import { readNotifications } from './notification.ts'

test('the notification of a send does not keep the body of its request in memory', () => {
  const body = Buffer.from(
    `{"notification":{"fcm":{"message":{"apns":{"payload":{"a":1.0}}}}},"unknown":"${'x'.repeat(100_000)}"}`,
  )
  const { notification } = decodeMessage(SendPushNotificationRequest, body)
  if (!notification) throw new Error('not decoded')
  const json = readNotifications(notification, {}).get('fcm')?.json
  expect(json?.toString()).toBe('{"apns":{"payload":{"a":1.0}}}')
  expect(json?.buffer).not.toBe(body.buffer)
})

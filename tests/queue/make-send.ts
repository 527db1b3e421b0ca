import { randomUUID } from 'node:crypto'
import type { Send } from '../../src/queue/send.ts'

/** A send to one FCM token, under a uid of its own. */
export function makeSend(over: Partial<Send> & { json?: Buffer } = {}): Send {
  const { json = Buffer.from('{}'), ...send } = over
  return {
    uid: randomUUID(),
    requestHash: Buffer.alloc(32, 1),
    lane: 'broadcast',
    sendAtMs: undefined,
    expireAtMs: undefined,
    recipient: { kind: 'native', provider: 'fcm', targetKind: 'token', values: ['a'] },
    content: {
      notifications: new Map([['fcm', { json, headers: new Map([['h', 'v']]) }]]),
      analyticsUid: 'analytics',
      isReliable: true,
    },
    ...send,
  }
}

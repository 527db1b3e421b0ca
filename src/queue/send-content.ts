// What the queue stores of a send besides the columns it works with. Other versions of the server read it too: add
// fields with a default, never change the meaning of one.
import * as v from 'valibot'
import { PROVIDER_NAMES } from '../config/provider-names.ts'
import type { Send } from './queue.ts'

type Content = Pick<Send, 'recipient' | 'notifications' | 'analyticsUid'>

const texts = v.array(v.string())

const StoredContent = v.object({
  recipient: v.variant('kind', [
    v.object({
      kind: v.literal('filter'),
      filter: v.object({ ids: texts, users: texts, topics: texts, providers: texts, platforms: texts }),
    }),
    v.object({
      kind: v.literal('native'),
      provider: v.picklist(PROVIDER_NAMES),
      targetKind: v.picklist(['token', 'topic', 'condition']),
      values: texts,
    }),
  ]),
  notifications: v.array(
    v.object({
      provider: v.picklist(PROVIDER_NAMES),
      /** Base64: a caller's JSON may hold bytes that are no UTF-8, and they stay what they are. */
      json: v.pipe(
        v.string(),
        v.base64(),
        v.transform((text) => Buffer.from(text, 'base64')),
      ),
      headers: v.array(v.tuple([v.string(), v.string()])),
    }),
  ),
  analyticsUid: v.string(),
})

export function encodeSendContent({ recipient, notifications, analyticsUid }: Content): Buffer {
  const stored: v.InferInput<typeof StoredContent> = {
    recipient:
      recipient.kind === 'native'
        ? { ...recipient, values: [...recipient.values] }
        : {
            kind: 'filter',
            filter: {
              ids: [...recipient.filter.ids],
              users: [...recipient.filter.users],
              topics: [...recipient.filter.topics],
              providers: [...recipient.filter.providers],
              platforms: [...recipient.filter.platforms],
            },
          },
    notifications: [...notifications].map(([provider, { json, headers }]) => ({
      provider,
      json: json.toString('base64'),
      headers: [...headers],
    })),
    analyticsUid,
  }
  return Buffer.from(JSON.stringify(stored))
}

/** @throws ValiError when a newer server stored something that this one can't read */
export function decodeSendContent(bytes: Buffer): Content {
  const { recipient, notifications, analyticsUid } = v.parse(StoredContent, JSON.parse(bytes.toString('utf8')))
  return {
    recipient,
    notifications: new Map(
      notifications.map(({ provider, json, headers }) => [provider, { json, headers: new Map(headers) }]),
    ),
    analyticsUid,
  }
}

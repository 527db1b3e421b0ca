// The stored format of a send's recipient and content. Servers of other versions read it too, so a new field needs a
// default, and the meaning of a field never changes.
import * as v from 'valibot'
import { PROVIDER_NAMES } from '../config/provider-names.ts'
import type { Recipient } from '../sends/recipient.ts'
import type { SendContent } from '../sends/send-content.ts'
import { encodeFilter, StoredFilter } from './stored-filter.ts'

const texts = v.array(v.string())

const StoredRecipient = v.variant('kind', [
  v.object({
    kind: v.literal('filter'),
    filter: StoredFilter,
  }),
  v.object({
    kind: v.literal('native'),
    provider: v.picklist(PROVIDER_NAMES),
    targetKind: v.picklist(['token', 'topic', 'condition']),
    values: texts,
  }),
])

const StoredContent = v.object({
  notifications: v.array(
    v.object({
      provider: v.picklist(PROVIDER_NAMES),
      /**
       * The JSON of a notification, as base64: the JSON of a request may contain bytes that are not UTF-8, and they are
       * kept.
       */
      json: v.pipe(
        v.string(),
        v.base64(),
        v.transform((text) => Buffer.from(text, 'base64')),
      ),
      headers: v.array(v.tuple([v.string(), v.string()])),
    }),
  ),
  analyticsUid: v.string(),
  isReliable: v.optional(v.boolean(), false),
  templating: v.optional(
    v.object({
      usesMeta: v.boolean(),
      localizations: v.array(v.tuple([v.string(), v.array(v.tuple([v.string(), v.string()]))])),
    }),
  ),
  timeLimit: v.optional(v.object({ afterMs: v.number(), beforeMs: v.number(), sendsWithoutZone: v.boolean() })),
  rateLimit: v.optional(
    v.object({
      key: v.array(v.union([v.string(), v.object({ variable: v.picklist(['id', 'user']) })])),
      policies: v.array(v.object({ rate: v.number(), intervalMs: v.number() })),
      isDropped: v.boolean(),
    }),
  ),
  ackRule: v.optional(v.object({ scope: v.picklist(['user', 'device']), kind: v.picklist(['seen', 'received']) })),
  exceptUsers: v.optional(texts),
  heldUsers: v.optional(v.object({ users: texts, untilMs: v.number() })),
})

/** Encodes a recipient to its stored text. It can be 16 MB of raw tokens, so it is not copied to bytes here. */
export function encodeRecipient(recipient: Recipient): string {
  return JSON.stringify(
    recipient.kind === 'filter' ? { ...recipient, filter: encodeFilter(recipient.filter) } : recipient,
  )
}

/** Reads a stored recipient. @throws ValiError if a newer server stored a format that this one can't read */
export function decodeRecipient(bytes: Buffer): Recipient {
  return v.parse(StoredRecipient, JSON.parse(bytes.toString('utf8')))
}

/** Encodes a content to its stored text. */
export function encodeContent(content: SendContent): string {
  // Each single push is encoded. The rest of a destructuring would cost as much as all of this.
  const { analyticsUid, isReliable, timeLimit, ackRule } = content
  const { notifications, templating, rateLimit, exceptUsers, heldUsers } = content
  const stored: Record<keyof SendContent, unknown> & v.InferInput<typeof StoredContent> = {
    analyticsUid,
    isReliable,
    timeLimit,
    ackRule,
    notifications: Array.from(notifications, ([provider, { json, headers }]) => ({
      provider,
      json: json.toString('base64'),
      headers: [...headers],
    })),
    templating: templating && {
      usesMeta: templating.usesMeta,
      localizations: [...templating.localizations].map(([locale, texts]) => [locale, [...texts]]),
    },
    rateLimit: rateLimit && { ...rateLimit, key: [...rateLimit.key], policies: [...rateLimit.policies] },
    exceptUsers: exceptUsers && [...exceptUsers],
    heldUsers: heldUsers && { ...heldUsers, users: [...heldUsers.users] },
  }
  return JSON.stringify(stored)
}

/** Reads a stored content. @throws ValiError if a newer server stored a format that this one can't read */
export function decodeContent(bytes: Buffer): SendContent {
  // Each single push is decoded. The rest of a destructuring would cost as much as the parsing.
  const stored = v.parse(StoredContent, JSON.parse(bytes.toString('utf8')))
  const { notifications, templating } = stored
  return {
    ...stored,
    templating: templating && {
      usesMeta: templating.usesMeta,
      localizations: new Map(templating.localizations.map(([locale, texts]) => [locale, new Map(texts)])),
    },
    notifications: new Map(
      notifications.map(({ provider, json, headers }) => [provider, { json, headers: new Map(headers) }]),
    ),
  }
}

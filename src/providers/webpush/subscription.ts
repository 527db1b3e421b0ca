import * as v from 'valibot'
import { parseJsonOrUndefined } from '../../json/parse-or-undefined.ts'
import type { SubscriptionKeys } from './encrypt-payload.ts'

/** The address of one browser's subscription, and the keys to encrypt for it. */
export interface Subscription {
  origin: string
  /** The path of the endpoint, with its query. */
  path: string
  keys: SubscriptionKeys
}

const POINT_BYTES = 65
const AUTH_BYTES = 16

function bytes(length: number) {
  return v.pipe(
    v.string(),
    v.transform((text) => Buffer.from(text, 'base64url')),
    v.check((decoded) => decoded.length === length),
  )
}

const KeysSchema = v.object({ p256dh: bytes(POINT_BYTES), auth: bytes(AUTH_BYTES) })

/** Reads a subscription from its endpoint and the JSON of its keys; undefined if either is not valid. */
export function readSubscription(endpoint: string, keysJson: string | undefined): Subscription | undefined {
  const url = URL.parse(endpoint)
  if (url?.protocol !== 'https:') return undefined
  const keys = v.safeParse(KeysSchema, parseJsonOrUndefined(keysJson ?? ''))
  if (!keys.success) return undefined
  return { origin: url.origin, path: `${url.pathname}${url.search}`, keys: keys.output }
}

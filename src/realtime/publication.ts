// The publication of a publish_or_push request.
import type { JsonText } from '../json/json-text.ts'
import { joinBytes } from '../protocol/batch.ts'
import { decodeMessage } from '../protocol/decode-message.ts'
import { ApiError } from '../protocol/errors.ts'
import type { PublishOrPushRequest } from '../protocol/requests/realtime.ts'
import { upstreamRequests } from '../protocol/requests/upstream.ts'
import { foldCase } from '../protocol/wire-types.ts'
import type { NodeCommand } from './node-commands.ts'

/** A publication as its request has it. */
export interface Publication {
  method: 'publish' | 'broadcast'
  /** The request of the method, with its bytes. */
  text: JsonText
  channels: readonly string[]
  tags: ReadonlyMap<string, string>
  /** Empty: not given. */
  idempotencyKey: string
}

/** Reads the publication of a request. @throws ApiError badRequest, DecodeError where the node would not decode it */
export function readPublication({ publish, broadcast }: PublishOrPushRequest): Publication {
  if (publish && broadcast) throw new ApiError('badRequest', 'publish, broadcast: only one can be given')
  if (publish) {
    const { channel, tags, idempotency_key: idempotencyKey } = decodeMessage(upstreamRequests.publish, publish)
    if (channel === '') throw new ApiError('badRequest', 'publish.channel: is missing')
    return { method: 'publish', text: publish, channels: [channel], tags, idempotencyKey }
  }
  if (!broadcast) throw new ApiError('badRequest', 'publish, broadcast: one of them is needed')
  const { channels, tags, idempotency_key: idempotencyKey } = decodeMessage(upstreamRequests.broadcast, broadcast)
  if (channels.length === 0) throw new ApiError('badRequest', 'broadcast.channels: is empty')
  return { method: 'broadcast', text: broadcast, channels, tags, idempotencyKey }
}

/** The fields that tagPublication() writes itself. */
const REPLACED = new Set(['tags', 'idempotency_key'])

/**
 * Makes the node's command of a publication. Clients read the uid to acknowledge in its tag. The uid is also the
 * idempotency key, unless the caller has one, so the node publishes a repeated call once. All other fields keep their
 * bytes.
 * @param tag the name of the tag; empty: no tag is added
 */
export function tagPublication(
  { method, text, tags, idempotencyKey }: Publication,
  uid: string,
  tag: string,
): NodeCommand {
  const kept = [...text.fields()].filter(([name]) => !REPLACED.has(foldCase(name)))
  const all = new Map(tags)
  if (tag !== '') all.set(tag, uid)
  const added = [
    ...(all.size === 0 ? [] : [`"tags":${JSON.stringify(Object.fromEntries(all))}`]),
    `"idempotency_key":${JSON.stringify(idempotencyKey || uid)}`,
  ]
  const fields = [
    ...kept.map(([name, value]) => Buffer.concat([Buffer.from(`${JSON.stringify(name)}:`), value.bytes])),
    ...added.map((field) => Buffer.from(field)),
  ]
  const request = Buffer.concat([Buffer.from('{'), joinBytes(fields, ','), Buffer.from('}')])
  return { method, request }
}

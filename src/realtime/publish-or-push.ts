// Publishes a message in real time, and pushes it to the users who do not acknowledge it in time.
//
//   store the push, due after the delay ──▶ publish, with the uid as a tag ──▶ answer
//
// The push is stored first: if the node is down, slow or refuses, the push stays, and the answer says so. If the store
// refuses, nothing is published. A client that sees the publication acknowledges the uid, which stops the pushes to its
// user. The same call can be repeated: the queue knows its uid, and the node its idempotency key (for five minutes).
import * as v from 'valibot'
import type { Logger } from '../observability/log.ts'
import { DecodeError } from '../protocol/decode-message.ts'
import { ApiError } from '../protocol/errors.ts'
import type { PublishOrPushRequest } from '../protocol/requests/realtime.ts'
import { withoutZeroValues } from '../protocol/result.ts'
import { type AcceptDeps, storeSend } from '../push/accept.ts'
import { readSend } from '../push/read-send.ts'
import type { Send } from '../queue/send.ts'
import type { AckRule } from '../sends/ack-rule.ts'
import type { NodeApi } from '../upstream/node-api.ts'
import { UpstreamError } from '../upstream/upstream-error.ts'
import { findPresentUsers } from './presence.ts'
import { type Publication, readPublication, tagPublication } from './publication.ts'
import type { Publisher } from './publisher.ts'

const MAX_DELAY_MS = 24 * 3600 * 1000
/** The most users in `except_users`: a message has an author, not a crowd of them. */
const MAX_EXCEPT_USERS = 100

/** The parts of publish_or_push. */
export interface PublishOrPushDeps {
  accept: AcceptDeps
  /** Undefined without a node: the method answers error 108. */
  node: Pick<NodeApi, 'call'> | undefined
  /** Publishes at that node. */
  publisher: Publisher | undefined
  /** The wait of requests without `delay_ms`. */
  delayMs: number
  /** The name of the tag with the uid; empty: none. */
  tag: string
  presenceMaxClients: number
  logger: Logger
  /** Unix time in ms. */
  now(): number
}

/** Runs the method `publish_or_push`. Resolves to its result. @throws ApiError */
export async function publishOrPush(deps: PublishOrPushDeps, request: PublishOrPushRequest): Promise<object> {
  const { node, publisher } = deps
  if (!node || !publisher) throw new ApiError('notAvailable', 'publish_or_push: needs an upstream node')
  const publication = readOrRefuse(request)
  const send = readDelayedSend(deps, request)
  const waiting = await planWait(deps, node, request, publication, send)
  await storeSend(deps.accept, waiting)
  return { uid: send.uid, ...(await publish(deps, publisher, publication, send.uid)) }
}

function readOrRefuse(request: PublishOrPushRequest): Publication {
  try {
    return readPublication(request)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    throw new ApiError('badRequest', `publish, broadcast: ${error.message}`, { cause: error })
  }
}

function readDelayedSend({ accept }: PublishOrPushDeps, request: PublishOrPushRequest): Send {
  if (!request.push) throw new ApiError('badRequest', 'push: is missing')
  if (request.push.send_at !== 0) throw new ApiError('badRequest', 'push.send_at: use delay_ms')
  if (request.except_users.length > MAX_EXCEPT_USERS) {
    throw new ApiError('badRequest', `except_users: more than ${MAX_EXCEPT_USERS}`)
  }
  const send = readSend(request.push, accept, request)
  // An ack names a user. Raw tokens and topics of a provider have none, so nothing would ever stop their pushes.
  if (send.recipient.kind !== 'filter') throw new ApiError('badRequest', 'push.recipient: must be a filter')
  const content = { ...send.content, ackRule: readRule(request), exceptUsers: request.except_users }
  return { ...send, content }
}

function readRule({ ack_scope: scope, ack_kind: kind }: PublishOrPushRequest): AckRule {
  if (scope !== '' && scope !== 'user' && scope !== 'device') {
    throw new ApiError('badRequest', 'ack_scope: must be user or device')
  }
  if (kind !== '' && kind !== 'seen' && kind !== 'received') {
    throw new ApiError('badRequest', 'ack_kind: must be seen or received')
  }
  return { scope: scope || 'user', kind: kind || 'seen' }
}

/** Adds the wait for acks to a send: for all users, or with `presence: "shorten"` for present users. */
async function planWait(
  { delayMs: defaultMs, presenceMaxClients: maxClients, logger, now }: PublishOrPushDeps,
  node: Pick<NodeApi, 'call'>,
  { delay_ms: delayMs = defaultMs, presence }: PublishOrPushRequest,
  { channels }: Publication,
  send: Send,
): Promise<Send> {
  if (delayMs < 0 || delayMs > MAX_DELAY_MS) throw new ApiError('badRequest', `delay_ms: must be 0 to ${MAX_DELAY_MS}`)
  if (presence !== '' && presence !== 'shorten') throw new ApiError('badRequest', 'presence: must be shorten or empty')
  if (delayMs === 0) return send
  const untilMs = now() + delayMs
  const present = presence === 'shorten' ? await findPresentUsers({ node, maxClients, logger }, channels) : undefined
  if (!present) return { ...send, sendAtMs: untilMs }
  return { ...send, content: { ...send.content, heldUsers: { users: [...present], untilMs } } }
}

const PublishResult = v.object({ offset: v.optional(v.number(), 0), epoch: v.optional(v.string(), '') })
const BroadcastResult = v.object({ responses: v.optional(v.array(v.unknown()), []) })
/** The error of a publication without an answer of the node. */
const NO_ANSWER = { code: 100, message: 'internal server error' }

/** Publishes, and returns the fields of the result: those of the node, or `publish_error`. Never rejects. */
async function publish(
  { tag, logger }: PublishOrPushDeps,
  publisher: Publisher,
  publication: Publication,
  uid: string,
): Promise<object> {
  try {
    const command = tagPublication(publication, uid, tag)
    const reply = await publisher.publish({ command, channels: publication.channels })
    if ('error' in reply) return { publish_error: reply.error }
    return publication.method === 'publish'
      ? withoutZeroValues(v.parse(PublishResult, reply.result))
      : v.parse(BroadcastResult, reply.result)
  } catch (error) {
    if (!(error instanceof UpstreamError || error instanceof v.ValiError)) throw error
    logger.warn({ err: error, uid }, 'publish or push: not published, the push stays')
    return { publish_error: NO_ANSWER }
  }
}

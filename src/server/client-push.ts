// The push methods over HTTP, for clients without a bidirectional connection to the node: service workers, apps in the
// background, unidirectional transports. They send their connection JWT: `Authorization: Bearer TOKEN`.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '../observability/log.ts'
import { encodeClientError } from '../protocol/client-reply.ts'
import { DecodeError, parseBody } from '../protocol/decode-message.ts'
import type { ApiErrorName } from '../protocol/errors.ts'
import type { ClientCalls } from '../realtime/client-calls.ts'
import type { VerifyToken } from '../realtime/connection-token.ts'
import { answerJson, emptyBody } from './answer.ts'
import type { BodyBudget } from './body-budget.ts'
import { withClientBody } from './client-body.ts'
import type { CountCall } from './client-call-counts.ts'
import type { ApiExchange } from './receive-body.ts'
import { type CallReply, runCall } from './run-call.ts'

/** How long a browser may keep the answer to a preflight request, in seconds: two hours, the most that Chrome keeps. */
const PREFLIGHT_SECONDS = 7200

/**
 * The longest origin: a scheme, a host name of 253 characters and a port. A pattern with several `*` would take seconds
 * for a header of 64 KiB.
 */
const MAX_ORIGIN_LENGTH = 8 + 253 + 6

/** The push methods over HTTP. */
export interface ClientPush {
  /** The path above the methods. */
  prefix: string
  calls: ClientCalls
  verify: VerifyToken
  /** Called for each token that is not verified because its key could not be read. */
  onUnavailable(error: unknown): void
  /** The origins of web pages that may call, in lower case. */
  allowedOrigins: readonly RegExp[]
  bodies: BodyBudget
  count: CountCall
  logger: Logger
}

/** Answers a request. @param method the part of the path after the prefix */
export function handleClientPush(
  push: ClientPush,
  method: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const { origin } = incoming.headers
  outgoing.setHeader('vary', 'Origin')
  // Only browsers send an origin. Other clients are not restricted by it.
  if (origin !== undefined && !isAllowed(push, origin.toLowerCase())) {
    answerJson(outgoing, encodeClientError('permissionDenied'), 403)
    return
  }
  if (origin !== undefined) outgoing.setHeader('access-control-allow-origin', origin)
  if (incoming.method === 'OPTIONS') answerPreflight(outgoing)
  else if (incoming.method !== 'POST') outgoing.writeHead(405, emptyBody(incoming.method)).end()
  else void answerPost(push, method, { incoming, outgoing })
}

function isAllowed({ allowedOrigins }: ClientPush, origin: string): boolean {
  return origin.length <= MAX_ORIGIN_LENGTH && allowedOrigins.some((allowed) => allowed.test(origin))
}

/** https://fetch.spec.whatwg.org/#cors-preflight-request */
function answerPreflight(outgoing: ServerResponse): void {
  outgoing.writeHead(204, {
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'authorization, content-type',
    'access-control-max-age': String(PREFLIGHT_SECONDS),
  })
  outgoing.end()
}

/** Never rejects. */
async function answerPost(push: ClientPush, method: string, exchange: ApiExchange): Promise<void> {
  const { outgoing } = exchange
  // Before the body is read: without a token a client must not occupy memory.
  const found = await findUser(push, exchange.incoming)
  if ('error' in found) {
    push.count('http', push.calls.labelOf(method), found.error)
    const isRefused = found.error !== 'internal'
    answerJson(outgoing, encodeClientError(found.error), isRefused ? 401 : 200, isRefused ? CHALLENGE : {})
    return
  }
  await withClientBody(push.bodies, exchange, async (body) => {
    const reply = await runMethod(push, method, found.user, body)
    const error = 'error' in reply ? reply.error : undefined
    push.count('http', push.calls.labelOf(method), error)
    answerJson(outgoing, 'error' in reply ? encodeClientError(reply.error) : `{"result":${reply.result}}`)
  })
}

/** RFC 6750 section 3. */
const CHALLENGE = { 'www-authenticate': 'Bearer' }

async function findUser(
  { verify, onUnavailable }: ClientPush,
  { headers }: IncomingMessage,
): Promise<{ user: string } | { error: ApiErrorName }> {
  const token = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
  if (token === undefined) return { error: 'unauthorized' }
  const result = await verify(token)
  if (!('problem' in result)) return result
  if (result.problem === 'unavailable') onUnavailable(result.error)
  return { error: ERRORS[result.problem] }
}

async function runMethod(
  { calls, logger }: ClientPush,
  method: string,
  user: string,
  body: Buffer,
): Promise<CallReply> {
  const data = body.length === 0 ? undefined : decode(body)
  if (data === 'invalid') return { error: 'badRequest' }
  return runCall(() => calls.run(user, method, data), calls.labelOf(method), logger)
}

const ERRORS = { invalid: 'unauthorized', expired: 'tokenExpired', unavailable: 'internal' } as const satisfies Record<
  string,
  ApiErrorName
>

function decode(body: Buffer) {
  try {
    return parseBody(body)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    return 'invalid'
  }
}

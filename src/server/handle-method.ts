// POST /api/<method>: one command. Upstream methods are forwarded unchanged.
import type { Call, PushMethod, UpstreamMethod } from '../methods/method.ts'
import { DecodeError } from '../protocol/decode-message.ts'
import { API_ERRORS } from '../protocol/errors.ts'
import { answerJson, answerText } from './answer.ts'
import type { ApiDeps } from './api-deps.ts'
import { detailsHeader, encodeErrorReply } from './error-details.ts'
import type { ApiExchange } from './receive-body.ts'
import { type FailedReply, runCall } from './run-call.ts'

/** Forwards a request for a method of the node, unread. */
export async function passMethod(
  deps: ApiDeps,
  method: UpstreamMethod,
  { incoming, outgoing }: ApiExchange,
): Promise<void> {
  if (deps.upstream) await deps.upstream.forward(incoming, outgoing, `/api/${method.name}`)
  else answerError(deps, { incoming, outgoing }, { error: 'notAvailable', details: 'no upstream is configured' })
}

/** Answers a request for a push method. */
export async function handleMethod(
  deps: ApiDeps,
  method: PushMethod,
  exchange: ApiExchange,
  body: Buffer,
): Promise<void> {
  const { outgoing } = exchange
  const call = prepare(deps, method, body)
  if (typeof call === 'string') {
    answerText(outgoing, 400, 'Bad Request', detailsHeader(call))
    return
  }
  const run = () => runCall(call, method.name, deps.callLogger)
  const reply = await (deps.overload?.run(method.name, run) ?? run())
  if ('error' in reply) answerError(deps, exchange, reply)
  else answerJson(outgoing, `{"result":${reply.result}}`)
}

/** Answers with an error in the mode that the request or the configuration chooses. */
export function answerError(deps: ApiDeps, { incoming, outgoing }: ApiExchange, reply: FailedReply): void {
  const error = encodeErrorReply(reply, deps.errorDetails)
  const { details, retryAfterSeconds } = reply
  const retry = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
  const headers = { ...retry, ...detailsHeader(details) }
  const isTransport = deps.transportErrors || incoming.headers['x-centrifugo-error-mode'] === 'transport'
  if (isTransport) answerJson(outgoing, error, API_ERRORS[reply.error].httpStatus, headers)
  else answerJson(outgoing, `{"error":${error}}`, 200, headers)
}

/** The call of a push method; the reason as a text when the body can't be decoded. */
function prepare({ logger }: ApiDeps, method: PushMethod, body: Buffer): Call | string {
  try {
    return method.prepare(body)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    logger.info({ method: method.name, why: error.message }, 'api: request not decoded')
    return error.message
  }
}

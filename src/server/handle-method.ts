// POST /api/<method>: one command. Upstream methods are forwarded unchanged.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Call, Method, PushMethod } from '../methods/method.ts'
import { API_ERRORS, type ApiErrorName, encodeApiError } from '../protocol/errors.ts'
import { DecodeError } from '../protocol/wire-types.ts'
import { readBody } from '../upstream/request-body.ts'
import { answerJson, answerText } from './answer.ts'
import type { ApiDeps } from './api-deps.ts'
import { runCall } from './run-call.ts'

/** Answers a request for one method. @throws BodyTooLargeError */
export async function handleMethod(
  deps: ApiDeps,
  method: Method,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const respondError = (kind: ApiErrorName, headers: Record<string, string> = {}) => {
    const isTransport = deps.transportErrors || incoming.headers['x-centrifugo-error-mode'] === 'transport'
    if (isTransport) answerJson(outgoing, encodeApiError(kind), API_ERRORS[kind].httpStatus, headers)
    else answerJson(outgoing, `{"error":${encodeApiError(kind)}}`, 200, headers)
  }
  if (method.kind === 'upstream') {
    if (deps.upstream) await deps.upstream.forward(incoming, outgoing, `/api/${method.name}`)
    else respondError('notAvailable')
    return
  }
  const call = prepare(deps, method, await readBody(incoming, deps.maxRequestBytes))
  if (!call) {
    answerText(outgoing, 400, 'Bad Request')
    return
  }
  const reply = await runCall(call, method.name, deps.callLogger)
  if (!('error' in reply)) answerJson(outgoing, `{"result":${reply.result}}`)
  else if (reply.retryAfterSeconds === undefined) respondError(reply.error)
  else respondError(reply.error, { 'retry-after': String(reply.retryAfterSeconds) })
}

/** The call of a push method; undefined when the body can't be decoded. */
function prepare({ logger }: ApiDeps, method: PushMethod, body: Buffer): Call | undefined {
  try {
    return method.prepare(body)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    logger.info({ method: method.name, why: error.message }, 'api: request not decoded')
    return undefined
  }
}

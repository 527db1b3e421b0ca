// The endpoint that the RPC proxy of a node calls: one request for each call of a client. Its answer is always 200,
// with the error in the body: after any other status the node gives the client error 100 and closes the connection.
// https://centrifugal.dev/docs/server/proxy#rpc-proxy
import type { IncomingMessage, ServerResponse } from 'node:http'
import { TLSSocket } from 'node:tls'
import { parseJsonText } from '../json/json-text.ts'
import type { Logger } from '../observability/log.ts'
import { encodeClientError } from '../protocol/client-reply.ts'
import { DecodeError, decodeMessage, decoding } from '../protocol/decode-message.ts'
import { RpcProxyRequest } from '../protocol/requests/realtime.ts'
import { makeSecretCheck } from '../protocol/secret-check.ts'
import type { ClientCalls } from '../realtime/client-calls.ts'
import { answerJson, emptyBody } from './answer.ts'
import type { BodyBudget } from './body-budget.ts'
import { withClientBody } from './client-body.ts'
import type { CountCall } from './client-call-counts.ts'
import { runCall } from './run-call.ts'

const KEY_HEADER = 'x-centripush-proxy-key'
/** The separator between the namespace of an RPC and its method: the default of `rpc.namespace_boundary`. */
const BOUNDARY = ':'

/** The endpoint of the RPC proxy. */
export interface RpcProxy {
  prefix: string
  calls: ClientCalls
  /** Whether a request comes from the node. */
  isNode(incoming: IncomingMessage): boolean
  /** Called for each request that does not come from the node. */
  onStranger(): void
  bodies: BodyBudget
  count: CountCall
  logger: Logger
}

/**
 * Makes the check that a request comes from the node: the header with the key, given once. Node lists a header that a
 * client has added beside that of the node as a second value.
 * @param key undefined: a client certificate, which the port has verified, is enough
 */
export function makeNodeCheck(key: string | undefined): (incoming: IncomingMessage) => boolean {
  if (key === undefined) return ({ socket }) => socket instanceof TLSSocket && socket.authorized
  const isKey = makeSecretCheck(key)
  return ({ headersDistinct }) => {
    const [given, ...others] = headersDistinct[KEY_HEADER] ?? []
    return given !== undefined && others.length === 0 && isKey(Buffer.from(given, 'latin1'))
  }
}

/** Answers a request of the node. */
export function handleRpcProxy(proxy: RpcProxy, incoming: IncomingMessage, outgoing: ServerResponse): void {
  if (incoming.method !== 'POST') {
    outgoing.writeHead(405, emptyBody(incoming.method)).end()
  } else if (!proxy.isNode(incoming)) {
    proxy.onStranger()
    answerJson(outgoing, encodeClientError('unauthorized'))
  } else {
    void withClientBody(proxy.bodies, { incoming, outgoing }, async (body) => {
      answerJson(outgoing, await answerCall(proxy, body))
    })
  }
}

async function answerCall({ calls, count, logger }: RpcProxy, body: Buffer): Promise<string> {
  const request = decode(body)
  if (!request) {
    count('rpc', 'unknown', 'badRequest')
    return encodeClientError('badRequest')
  }
  const { user, data } = request
  // The namespace is the choice of the operator: the node sends only the calls of those that name this proxy.
  const method = request.method.slice(request.method.lastIndexOf(BOUNDARY) + 1)
  const label = calls.labelOf(method)
  const reply = await runCall(() => calls.run(user, method, data), label, logger)
  count('rpc', label, 'error' in reply ? reply.error : undefined)
  return 'error' in reply ? encodeClientError(reply.error) : `{"result":{"data":${reply.result}}}`
}

/** The call in a request; its data is base64 with the option `binary_encoding`. Undefined: it can't be decoded. */
function decode(body: Buffer) {
  try {
    const { b64data, ...request } = decodeMessage(RpcProxyRequest, body)
    if (b64data === '') return request
    return { ...request, data: decoding(() => parseJsonText(Buffer.from(b64data, 'base64'))) }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    return undefined
  }
}

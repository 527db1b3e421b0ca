import * as v from 'valibot'
import { parseJsonOrUndefined } from '../json/parse-or-undefined.ts'
import type { NodeApi } from './node-api.ts'
import { UpstreamError } from './upstream-error.ts'

/** The state of the node, for the operator. */
export type NodeState = { isUsable: true; versions: string[] } | { isUsable: false; cause: string; mend: string }

/** The answer of Centrifugo's method `info`. */
const Info = v.object({
  result: v.object({ nodes: v.array(v.object({ version: v.optional(v.string(), 'unknown') })) }),
})
const ApiFailure = v.object({ error: v.object({ code: v.number(), message: v.string() }) })

const REFUSES_KEY = {
  isUsable: false,
  cause: 'the node refuses the API key',
  mend: "set upstream.api_key to the node's http_api.key",
} as const
const NO_CENTRIFUGO = {
  isUsable: false,
  cause: 'the answer is not that of a Centrifugo node',
  mend: 'set upstream.address to the base URL of the node, without /api',
} as const

/** Asks the node for its state. Never rejects for an answer of a server or its absence. */
export async function describeNode(api: Pick<NodeApi, 'call'>): Promise<NodeState> {
  try {
    return readInfo((await api.call('/api/info', Buffer.from('{}'))).toString())
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error
    if (error.status === 401 || error.status === 403) return REFUSES_KEY
    if (error.status !== undefined) return NO_CENTRIFUGO
    const why = error.cause instanceof Error ? error.cause.message : error.message
    return {
      isUsable: false,
      cause: `no answer: ${why}`,
      mend: 'start the node, or correct upstream.address; until then its methods answer error 100 or status 502',
    }
  }
}

function readInfo(text: string): NodeState {
  const answer = parseJsonOrUndefined(text)
  const failure = v.safeParse(ApiFailure, answer)
  if (failure.success) {
    const { code, message } = failure.output.error
    return { isUsable: false, cause: `the node answers error ${code}: ${message}`, mend: 'see the log of the node' }
  }
  const info = v.safeParse(Info, answer)
  if (!info.success) return NO_CENTRIFUGO
  return { isUsable: true, versions: [...new Set(info.output.result.nodes.map(({ version }) => version))].sort() }
}

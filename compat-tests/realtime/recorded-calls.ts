import { readFileSync } from 'node:fs'
import * as v from 'valibot'

const text = v.record(v.string(), v.string())
const ClientError = v.object({ code: v.number(), message: v.string(), temporary: v.optional(v.boolean()) })

/** A call of a client through a real node, as it was recorded. */
const RecordedCall = v.object({
  name: v.string(),
  rpc: v.object({ method: v.string(), data: v.unknown() }),
  /** The request of the node to its proxy; null: the node asked no proxy. */
  request: v.nullable(v.object({ method: v.string(), path: v.string(), headers: text, body: v.string() })),
  answer: v.object({ status: v.number(), body: v.string(), delay_ms: v.number() }),
  client_gets: v.object({ data: v.optional(v.unknown()), error: v.optional(ClientError) }),
  client_disconnected: v.optional(v.object({ code: v.number(), reason: v.string() })),
})
export type RecordedCall = v.InferOutput<typeof RecordedCall>

/** The 24 recorded calls: centrifuge-js over WebSocket, a Centrifugo node 6.9.1, and an RPC proxy. */
export const RECORDED_CALLS = v.parse(
  v.array(RecordedCall),
  JSON.parse(readFileSync(new URL('rpc-proxy.json', import.meta.url), 'utf8')),
)

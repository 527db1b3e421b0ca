import * as v from 'valibot'
import { joinBytes, parseBatchReplies } from '../protocol/batch.ts'
import type { NodeApi } from '../upstream/node-api.ts'
import { UpstreamError } from '../upstream/upstream-error.ts'

/** A command for the node: the name of its method, and its request as JSON. */
export interface NodeCommand {
  method: string
  request: Buffer
}

/** The reply of the node to one command. */
export type NodeReply = { result: unknown } | { error: { code: number; message: string } }

const Reply = v.record(v.string(), v.unknown())
const ErrorReply = v.object({ error: v.object({ code: v.number(), message: v.string() }) })

/**
 * Asks the node. Uses its batch, because that answers errors in the body in every error mode.
 * @param timeoutMs until the node must start to answer; undefined: `upstream.timeout`
 * @throws UpstreamError if the node is not reachable, or its answer does not match
 */
export async function askNode(
  node: Pick<NodeApi, 'call'>,
  commands: readonly NodeCommand[],
  timeoutMs?: number,
): Promise<NodeReply[]> {
  const encoded = commands.map(({ method, request }) =>
    Buffer.concat([Buffer.from(`{"${method}":`), request, Buffer.from('}')]),
  )
  const body = Buffer.concat([Buffer.from('{"commands":['), joinBytes(encoded, ','), Buffer.from('],"parallel":true}')])
  const replies = parseBatchReplies(await node.call('/api/batch', body, timeoutMs), commands.length)
  if (!replies) throw new UpstreamError('the answer of the node does not match the commands')
  return replies.map((reply, index) => readReply(reply, commands[index]?.method ?? ''))
}

function readReply(bytes: Buffer, method: string): NodeReply {
  // The node's answer was checked to be JSON.
  const reply = v.safeParse(Reply, JSON.parse(bytes.toString()))
  const failed = v.safeParse(ErrorReply, reply.output)
  if (failed.success) return failed.output
  if (reply.success && method in reply.output) return { result: reply.output[method] }
  throw new UpstreamError('the answer of the node does not match the commands')
}

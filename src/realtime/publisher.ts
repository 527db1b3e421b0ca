import { GroupedCalls } from '../timing/grouped-calls.ts'
import type { NodeApi } from '../upstream/node-api.ts'
import { UpstreamError } from '../upstream/upstream-error.ts'
import { askNode, type NodeCommand, type NodeReply } from './node-commands.ts'

/** The most publications of one request, and their most bytes together. A larger one has a request of its own. */
const MAX_TOGETHER = 64
const MAX_BYTES = 64 * 1024

/** A publication for the node. */
export interface NewPublication {
  command: NodeCommand
  channels: readonly string[]
}

/**
 * Publishes at the node. Publications of concurrent calls share a request, which costs both sides as much as one of
 * them alone. None waits for the answer to others. The node executes the commands of a request in any order, so two
 * publications of one channel never share one.
 */
export class Publisher {
  readonly #ask: (commands: readonly NodeCommand[]) => Promise<NodeReply[]>
  readonly #publishes: GroupedCalls<NewPublication, NodeReply>

  constructor(node: Pick<NodeApi, 'call'>) {
    this.#ask = (commands) => askNode(node, commands)
    this.#publishes = new GroupedCalls({
      run: (group) => this.#ask(group.map(({ command }) => command)),
      maxTogether: MAX_TOGETHER,
      sizeOf: ({ command }) => command.request.length,
      maxSize: MAX_BYTES,
      maxRunning: Number.POSITIVE_INFINITY,
      keyOf: ({ channels: [channel = ''] }) => channel,
      mayBeOfOneCall: isRefused,
    })
  }

  /**
   * Resolves to the reply of the node.
   * @throws UpstreamError if the node is not reachable, or its answer does not match
   */
  async publish(publication: NewPublication): Promise<NodeReply> {
    if (publication.channels.length === 1) return await this.#publishes.add(publication)
    const [reply] = await this.#ask([publication.command])
    if (!reply) throw new UpstreamError('the answer of the node has no reply')
    return reply
  }
}

/** Whether the node has refused a request as a whole, without executing any of its commands. */
function isRefused(error: unknown): boolean {
  return error instanceof UpstreamError && error.status !== undefined && error.status >= 400 && error.status < 500
}

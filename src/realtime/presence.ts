// Finds the present users of a publication: those with a client in its channels. All others can't acknowledge it, so
// their push need not wait. Presence is used only to shorten the wait; if it is unknown, the pushes to all users wait.
import * as v from 'valibot'
import type { Logger } from '../observability/log.ts'
import type { NodeApi } from '../upstream/node-api.ts'
import { UpstreamError } from '../upstream/upstream-error.ts'
import { askNode, type NodeReply } from './node-commands.ts'

/** The presence of at most this many channels is read. */
const MAX_CHANNELS = 100
/** In ms. The send is stored only after it. */
const TIMEOUT_MS = 1000

const Stats = v.object({ result: v.object({ num_clients: v.optional(v.number(), 0) }) })
const Presence = v.object({
  result: v.object({
    presence: v.optional(v.record(v.string(), v.object({ user: v.optional(v.string(), '') })), {}),
  }),
})

interface Deps {
  node: Pick<NodeApi, 'call'>
  /** The most clients of all channels. */
  maxClients: number
  logger: Logger
}

/** The users with a client in one of the channels; undefined: it is not known. */
export async function findPresentUsers(deps: Deps, channels: readonly string[]): Promise<Set<string> | undefined> {
  if (channels.length > MAX_CHANNELS) return undefined
  try {
    const stats = readAll(Stats, await ask(deps, 'presence_stats', channels))
    const clients = stats?.reduce((sum, { result }) => sum + result.num_clients, 0)
    if (clients === undefined || clients > deps.maxClients) return undefined
    if (clients === 0) return new Set()
    const found = readAll(Presence, await ask(deps, 'presence', channels))
    return found && new Set(found.flatMap(({ result }) => Object.values(result.presence).map(({ user }) => user)))
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error
    deps.logger.warn({ err: error }, 'publish or push: presence not read, the push waits')
    return undefined
  }
}

function ask({ node }: Deps, method: string, channels: readonly string[]): Promise<NodeReply[]> {
  const commands = channels.map((channel) => ({ method, request: Buffer.from(JSON.stringify({ channel })) }))
  return askNode(node, commands, TIMEOUT_MS)
}

/** Undefined if one of the channels has no presence: the node answers it with an error. */
function readAll<Schema extends v.GenericSchema>(schema: Schema, replies: readonly NodeReply[]) {
  const read = v.safeParse(v.array(schema), replies)
  return read.success ? read.output : undefined
}

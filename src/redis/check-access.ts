import type { RedisClient } from './connect.ts'
import { RedisConnectError } from './connect-error.ts'
import { Script } from './script.ts'

const PROBE = new Script(new URL('probe-access.lua', import.meta.url))

const OPTION = 'push_notifications.queue.redis'
/** Redis before 7.0 does not know the first line of the scripts, which has their flags. */
const TOO_OLD = /compiling script.*near '#'/

/** Refusals that last: of an ACL, of a replica, and of a server without one of the commands. */
const REFUSAL = /^NOPERM|^READONLY|: (ERR The user|NOPERM|ERR Unknown Redis command)/

/**
 * Checks at the start that Redis is a primary, and that its user may run the commands of the server on its keys and
 * channels. Otherwise each send would fail later.
 * @param keys one key of each name pattern of the server; nothing may be stored there
 * @param channel a channel to which the server subscribes
 * @throws RedisConnectError that names the command and the key, or the version that is needed
 */
export async function checkAccess(client: RedisClient, keys: readonly string[], channel: string): Promise<void> {
  for (const key of keys) {
    const problem = await findProblem(client, key, channel)
    if (TOO_OLD.test(problem)) throw new RedisConnectError(OPTION, new Error('the server is older than Redis 7.0'))
    if (REFUSAL.test(problem)) throw new RedisConnectError(OPTION, new Error(`${problem} (key ${key})`))
  }
}

/** Other failures, as of a full disk, may pass: the health check reports them. */
async function findProblem(client: RedisClient, key: string, channel: string): Promise<string> {
  try {
    const problem = await PROBE.run(client, [key], [channel])
    return Buffer.isBuffer(problem) ? problem.toString() : ''
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

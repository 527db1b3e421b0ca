import * as v from 'valibot'
import type { ProviderName } from '../../config/provider-names.ts'
import { Script } from '../../redis/script.ts'
import type { Lane } from '../lane.ts'
import { GROUP, type Scope } from './scope.ts'

const UNTIL_DUE = new Script(new URL('lua/until-due.lua', import.meta.url))

/**
 * The ms until work of a lane becomes due: a send, a retry, a probe, and if batches are claimed the next search for
 * abandoned ones. Infinity without any.
 */
export async function readUntilDue(
  { client, keys }: Scope,
  lane: Lane,
  providers: readonly ProviderName[],
  sweepMs: number,
): Promise<number> {
  const streams = providers.map((provider) => keys.batches(lane, provider))
  const scriptKeys = [keys.dueSends(lane), keys.retries, keys.pauses, ...streams]
  const reply = v.parse(v.number(), await UNTIL_DUE.run(client, scriptKeys, [GROUP, Math.ceil(sweepMs), ...providers]))
  return reply < 0 ? Number.POSITIVE_INFINITY : reply
}

// Runs the Lua scripts that pause and resume providers.
import type { ProviderName } from '../../config/provider-names.ts'
import { Script } from '../../redis/script.ts'
import { LANES } from '../lane.ts'
import type { Scope } from './scope.ts'

const PAUSE = new Script(new URL('lua/pause.lua', import.meta.url))
const RESUME = new Script(new URL('lua/resume.lua', import.meta.url))

/** A pause to store, see Queue.pause(). */
interface NewPause {
  provider: ProviderName
  reason: string
  probeEveryMs: number | undefined
}

/** Pauses a provider, until `deadlineMs`. */
export async function pauseProvider({ client, keys }: Scope, pause: NewPause, deadlineMs: number): Promise<void> {
  const { provider, reason, probeEveryMs } = pause
  const every = probeEveryMs === undefined ? '' : Math.ceil(probeEveryMs)
  await PAUSE.run(client, [keys.pauses], [provider, reason, every, deadlineMs])
}

/** Ends the pause of a provider, until `deadlineMs`. */
export async function resumeProvider({ client, keys }: Scope, provider: ProviderName, deadlineMs: number) {
  const channels = LANES.map(keys.work)
  await RESUME.run(client, [keys.pauses], [provider, deadlineMs, ...channels])
}

import type { Outcome } from '../providers/provider.ts'
import { decodeTarget } from '../sends/target-line.ts'
import type { OpenTarget } from './open-batch.ts'

/** A device with a dead token. */
export interface GoneToken {
  deviceId: string
  token: string
  /** Unix time in ms at which the token became invalid; undefined if the provider does not report it. */
  sinceMs: number | undefined
}

/** The devices whose tokens the provider calls dead. @param outcomes one for each target; undefined: it is unsettled */
export function listGoneTokens(
  targets: readonly OpenTarget[],
  outcomes: readonly (Outcome | undefined)[],
): GoneToken[] {
  const gone: GoneToken[] = []
  targets.forEach(({ line }, index) => {
    const outcome = outcomes[index]
    if (outcome?.kind !== 'tokenGone') return
    const { deviceId, value } = decodeTarget(line)
    gone.push({ deviceId, token: value, sinceMs: outcome.sinceMs })
  })
  return gone
}

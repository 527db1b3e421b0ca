import type { ProviderName } from '../config/provider-names.ts'
import type { Availability, Provider } from '../providers/provider.ts'
import type { BatchClaim } from '../queue/batch.ts'
import type { Lane } from '../queue/lane.ts'
import type { Queue } from '../queue/queue.ts'

/** The parts of a claim. */
export interface ClaimAvailableDeps {
  queue: Pick<Queue, 'claimBatches'>
  providers: ReadonlyMap<ProviderName, Provider>
}

/** The parameters of a claim. */
export interface AvailableClaim {
  lane: Lane
  /** The providers that have a probe in delivery, which get no other one. */
  probing: ReadonlySet<ProviderName>
  /** The most batches. */
  room: number
  /** As of `Queue.claimBatches`. */
  leastWaitMs: number
}

/**
 * Claims batches of the providers that work. The batches of a provider in an outage stay in the queue, except for one
 * at a time when a probe is due: claiming them only to store them again would load the store for as long as the outage.
 */
export async function claimAvailable(
  { queue, providers }: ClaimAvailableDeps,
  { lane, probing, room, leastWaitMs }: AvailableClaim,
): Promise<BatchClaim[]> {
  for (const name of listInState(providers, 'probe')) {
    const probe = probing.has(name) ? [] : await queue.claimBatches(lane, [name], 1, leastWaitMs)
    if (probe.length > 0) return probe
  }
  return await queue.claimBatches(lane, listInState(providers, 'up'), room, leastWaitMs)
}

/** The providers with this state of availability. */
export function listInState(
  providers: ReadonlyMap<ProviderName, Provider>,
  state: Availability['state'],
): ProviderName[] {
  return [...providers].filter(([, { availability }]) => (availability?.state ?? 'up') === state).map(([name]) => name)
}

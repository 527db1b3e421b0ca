import type { ProviderName } from '../config/provider-names.ts'
import type { BatchTargets } from './batch.ts'

/** Targets that were given up. */
export interface DeadLetter {
  id: string
  uid: string
  provider: ProviderName
  targets: BatchTargets<string>
  count: number
  /** The last answer: a provider's error code, or a reason of ours. */
  reason: string
  attempts: number
  /** Unix time in ms. */
  givenUpAtMs: number
}

/** Selects dead letters; an absent field matches all. */
export interface DeadLetterFilter {
  ids?: readonly string[]
  uid?: string
  provider?: ProviderName
}

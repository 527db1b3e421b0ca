import type { ProviderName } from '../config/provider-names.ts'
import type { BatchTargets } from './batch.ts'

/** Targets that were given up. */
export interface DeadLetter {
  id: string
  uid: string
  provider: ProviderName
  targets: BatchTargets<string>
  count: number
  /** The reason of the last outcome: an error code of the provider or a text of this server. */
  reason: string
  /** The number of attempts before the targets were given up. */
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

import type { ProviderName } from '../config/provider-names.ts'
import type { BatchTargets } from './batch.ts'

/** A dead letter: targets of one send and one provider that were given up. */
export interface DeadLetter {
  id: string
  uid: string
  provider: ProviderName
  targets: BatchTargets<string>
  count: number
  /** The reason of the targets' last outcome: an error code of the provider or a text of this server. */
  reason: string
  /** The number of attempts before the targets were given up. */
  attempts: number
  /** When the targets were given up, as Unix time in ms. */
  givenUpAtMs: number
}

/** Selects dead letters by their fields. An absent field matches all dead letters. */
export interface DeadLetterFilter {
  ids?: readonly string[]
  uid?: string
  provider?: ProviderName
}

/** The numbers of dead letters that match a filter, and of their targets. */
export interface DeadLetterCount {
  letters: number
  targets: number
}

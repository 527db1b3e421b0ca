import type { ProviderName } from '../config/provider-names.ts'

/** A device filter. A device matches if each field that is not empty contains its value. */
export interface RecipientFilter {
  ids: readonly string[]
  users: readonly string[]
  topics: readonly string[]
  providers: readonly string[]
  platforms: readonly string[]
}

/** The kind of a target: a device's token, or a topic or condition that the provider resolves itself. */
export type TargetKind = 'token' | 'topic' | 'condition'

/** The addressees of a send: devices of the device store, or a provider's own values. */
export type Recipient =
  | { kind: 'filter'; filter: RecipientFilter }
  /** Each value of Web Push is the result of joinSubscription() (target-line.ts). */
  | { kind: 'native'; provider: ProviderName; targetKind: TargetKind; values: readonly string[] }

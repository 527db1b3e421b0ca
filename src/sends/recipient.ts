import type { ProviderName } from '../config/provider-names.ts'

/** A device filter: within one field any of the values matches, between fields all of them have to. */
export interface DeviceFilter {
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
  | { kind: 'filter'; filter: DeviceFilter }
  /** Values of Web Push are written by joinSubscription() (target-line.ts). */
  | { kind: 'native'; provider: ProviderName; targetKind: TargetKind; values: readonly string[] }

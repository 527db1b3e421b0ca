import type { ProviderName } from '../config/provider-names.ts'

/**
 * A filter that selects devices. A device matches a field if it has any of the field's values; it must match all
 * fields.
 */
export interface DeviceFilter {
  ids: readonly string[]
  users: readonly string[]
  topics: readonly string[]
  providers: readonly string[]
  platforms: readonly string[]
}

/** The kind of a target: a device's token, or a topic or condition that the provider resolves itself. */
export type TargetKind = 'token' | 'topic' | 'condition'

/**
 * The recipient of a send: devices of the device store that match a filter, or native values, which a provider
 * addresses itself.
 */
export type Recipient =
  | { kind: 'filter'; filter: DeviceFilter }
  /**
   * Native values: raw tokens, topics or conditions. Those of Web Push are made by joinSubscription() (target-line.ts).
   */
  | { kind: 'native'; provider: ProviderName; targetKind: TargetKind; values: readonly string[] }

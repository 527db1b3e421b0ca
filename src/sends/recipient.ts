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

/** The kinds of targets, see TargetKind. */
export const TARGET_KINDS = ['token', 'topic', 'condition'] as const
/** The kind of a target: a device's token, or a topic or condition that the provider resolves itself. */
export type TargetKind = (typeof TARGET_KINDS)[number]

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

/** The kind of the targets of a recipient: those of a filter are devices, which are addressed by their tokens. */
export function targetKindOf(recipient: Recipient): TargetKind {
  return recipient.kind === 'native' ? recipient.targetKind : 'token'
}

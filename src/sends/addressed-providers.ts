import type { ProviderName } from '../config/provider-names.ts'
import type { DeviceFilter } from './recipient.ts'
import type { SendContent } from './send-content.ts'

/**
 * The providers that a send to a filter goes to, in the order of its notifications: those that are enabled, have a
 * notification, and match the filter.
 * @param enabled the providers that the configuration enables
 */
export function findAddressedProviders(
  { providers }: DeviceFilter,
  { notifications }: Pick<SendContent, 'notifications'>,
  enabled: { has(provider: ProviderName): boolean },
): ProviderName[] {
  return [...notifications.keys()].filter(
    (name) => enabled.has(name) && (providers.length === 0 || providers.includes(name)),
  )
}

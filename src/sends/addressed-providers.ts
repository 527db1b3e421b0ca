import type { ProviderName } from '../config/provider-names.ts'
import type { DeviceFilter } from './recipient.ts'
import type { SendContent } from './send-content.ts'

/** The providers whose devices a send to a filter is sent to, in the order of its notifications. @param enabled those of the configuration */
export function findAddressedProviders(
  { providers }: DeviceFilter,
  { notifications }: Pick<SendContent, 'notifications'>,
  enabled: { has(provider: ProviderName): boolean },
): ProviderName[] {
  return [...notifications.keys()].filter(
    (name) => enabled.has(name) && (providers.length === 0 || providers.includes(name)),
  )
}

/** The push providers, by the names that `enabled_providers`, `device_register` and the metrics use. */
export const PROVIDER_NAMES = ['fcm', 'hms', 'apns', 'webpush'] as const
export type ProviderName = (typeof PROVIDER_NAMES)[number]

/** Whether `name` is the name of a provider. */
export function isProviderName(name: string): name is ProviderName {
  return PROVIDER_NAMES.some((known) => known === name)
}

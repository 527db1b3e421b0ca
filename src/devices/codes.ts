// The codes of providers and platforms in the tables. Stored rows contain them, so the meaning of a code never changes.
import { PROVIDER_NAMES, type ProviderName } from '../config/provider-names.ts'

/** The platforms that a device can have. */
export const PLATFORM_NAMES = ['ios', 'android', 'web'] as const
/** One of PLATFORM_NAMES. */
export type PlatformName = (typeof PLATFORM_NAMES)[number]

const PROVIDER_CODES: Record<ProviderName, number> = { fcm: 1, hms: 2, apns: 3, webpush: 4 }
const PLATFORM_CODES: Record<PlatformName, number> = { ios: 1, android: 2, web: 3 }

/** The codes of all providers. */
export const ALL_PROVIDER_CODES: readonly number[] = Object.values(PROVIDER_CODES)
/** The codes of all platforms. */
export const ALL_PLATFORM_CODES: readonly number[] = Object.values(PLATFORM_CODES)

const PROVIDERS_BY_CODE = new Map(PROVIDER_NAMES.map((name) => [PROVIDER_CODES[name], name]))
const PLATFORMS_BY_CODE = new Map(PLATFORM_NAMES.map((name) => [PLATFORM_CODES[name], name]))

/** Whether `name` is one of PLATFORM_NAMES. */
export function isPlatformName(name: string): name is PlatformName {
  return PLATFORM_NAMES.some((known) => known === name)
}

/** Converts the name of a provider to its code in the tables. */
export function encodeProvider(name: ProviderName): number {
  return PROVIDER_CODES[name]
}

/** Converts the name of a platform to its code in the tables. */
export function encodePlatform(name: PlatformName): number {
  return PLATFORM_CODES[name]
}

/** Reads the code of a provider from a row. @throws Error for a code that only a newer version of the server knows */
export function decodeProvider(code: number): ProviderName {
  const name = PROVIDERS_BY_CODE.get(code)
  if (!name) throw new Error(`unknown provider code ${code}`)
  return name
}

/** Reads the code of a platform from a row. @throws Error for a code that only a newer version of the server knows */
export function decodePlatform(code: number): PlatformName {
  const name = PLATFORMS_BY_CODE.get(code)
  if (!name) throw new Error(`unknown platform code ${code}`)
  return name
}

// Providers and platforms as the tables have them. A code, once given, never changes its meaning.
import { PROVIDER_NAMES, type ProviderName } from '../config/provider-names.ts'

export const PLATFORM_NAMES = ['ios', 'android', 'web'] as const
export type PlatformName = (typeof PLATFORM_NAMES)[number]

const PROVIDER_CODES: Record<ProviderName, number> = { fcm: 1, hms: 2, apns: 3, webpush: 4 }
const PLATFORM_CODES: Record<PlatformName, number> = { ios: 1, android: 2, web: 3 }

export const ALL_PROVIDER_CODES: readonly number[] = Object.values(PROVIDER_CODES)
export const ALL_PLATFORM_CODES: readonly number[] = Object.values(PLATFORM_CODES)

const PROVIDERS_BY_CODE = new Map(PROVIDER_NAMES.map((name) => [PROVIDER_CODES[name], name]))
const PLATFORMS_BY_CODE = new Map(PLATFORM_NAMES.map((name) => [PLATFORM_CODES[name], name]))

export function isPlatformName(name: string): name is PlatformName {
  return PLATFORM_NAMES.some((known) => known === name)
}

export function encodeProvider(name: ProviderName): number {
  return PROVIDER_CODES[name]
}

export function encodePlatform(name: PlatformName): number {
  return PLATFORM_CODES[name]
}

/** @throws Error for a code that this version does not know */
export function decodeProvider(code: number): ProviderName {
  const name = PROVIDERS_BY_CODE.get(code)
  if (!name) throw new Error(`unknown provider code ${code}`)
  return name
}

/** @throws Error for a code that this version does not know */
export function decodePlatform(code: number): PlatformName {
  const name = PLATFORMS_BY_CODE.get(code)
  if (!name) throw new Error(`unknown platform code ${code}`)
  return name
}

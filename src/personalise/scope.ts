/**
 * Texts by name, in an object of JSON.parse or Object.fromEntries. Only its own properties count, not inherited ones.
 */
export type Texts = Readonly<Record<string, unknown>>

/** The values of one target for a template: `.device.id`, `.device.user`, `.device.meta`, `.l10n`. */
export interface Scope {
  readonly id: string
  readonly user: string
  readonly meta: Texts
  /** The translations for the target's locale: texts by name. */
  readonly l10n: Texts
}

/** The texts of a target that has none: an empty object. */
export const NO_TEXTS: Texts = {}

/** Parses a JSON object of texts. Any other JSON value, and an empty `json`, gives no texts. */
export function parseTexts(json: string): Texts {
  if (json === '') return NO_TEXTS
  const value: unknown = JSON.parse(json)
  return isObject(value) ? value : NO_TEXTS
}

function isObject(value: unknown): value is Texts {
  return typeof value === 'object' && value !== null
}

/** The text under `key`; empty if the value is missing or not a text. */
export function readText(texts: Texts, key: string): string {
  const value = Object.hasOwn(texts, key) ? texts[key] : undefined
  return typeof value === 'string' ? value : ''
}

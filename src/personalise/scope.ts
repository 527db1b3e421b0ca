/** Texts by name, as JSON.parse and Object.fromEntries create them. Only own properties count. */
export type Texts = Readonly<Record<string, unknown>>

/** The values of one target for a template: `.device.id`, `.device.user`, `.device.meta`, `.l10n`. */
export interface Scope {
  readonly id: string
  readonly user: string
  readonly meta: Texts
  /** The translations for the locale of the target. */
  readonly l10n: Texts
}

/** The texts of a target without any. */
export const NO_TEXTS: Texts = {}

/** The texts of a JSON object. Other JSON values and an empty `json` have none. */
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

/** Texts by any key, as JSON.parse and Object.fromEntries make them. Only own properties count. */
export type Texts = Readonly<Record<string, unknown>>

/** What a template can name of one target: `.device.id`, `.device.user`, `.device.meta`, `.l10n`. */
export interface Scope {
  readonly id: string
  readonly user: string
  readonly meta: Texts
  /** The translations for the target's locale. */
  readonly l10n: Texts
}

export const NO_TEXTS: Texts = {}

/** The texts of a JSON object; none of anything else that is JSON, or of an empty text. */
export function parseTexts(json: string): Texts {
  if (json === '') return NO_TEXTS
  const value: unknown = JSON.parse(json)
  return isObject(value) ? value : NO_TEXTS
}

function isObject(value: unknown): value is Texts {
  return typeof value === 'object' && value !== null
}

/** The text under `key`; what is missing, and what is no text, is empty. */
export function readText(texts: Texts, key: string): string {
  const value = Object.hasOwn(texts, key) ? texts[key] : undefined
  return typeof value === 'string' ? value : ''
}

// Chooses the translations for a device by its locale (RFC 4647 section 3.4, lookup): those of the whole locale, else
// those of the locale without its last subtag, and so on: `zh-Hant-TW`, `zh-Hant`, `zh`. Without translations the
// defaults in the template are used.
import { canonicalizeLocale, withoutExtensions } from '../sends/locale.ts'
import { NO_TEXTS, type Texts } from './scope.ts'

/** The translations of a request: for each locale, texts by name. */
export type Localizations = ReadonlyMap<string, ReadonlyMap<string, string>>

/** The translations for a device. */
export interface Translation {
  /** The locale of the request that was chosen, as the request spells it; undefined if none matches. */
  locale: string | undefined
  texts: Texts
}

const NO_TRANSLATION: Translation = { locale: undefined, texts: NO_TEXTS }

/**
 * The most locales with a kept result: more than exist. A limit is needed because devices can send invented locales.
 */
const MAX_FOUND = 2000

/**
 * Returns a function that finds the translations for a device's locale. The function keeps the result for each locale.
 */
export function makeTranslations(localizations: Localizations): (locale: string) => Translation {
  const byName = new Map<string, Translation>()
  // If a locale is given in two spellings, the first one counts.
  for (const [locale, texts] of localizations) {
    const name = normalize(locale)
    if (!byName.has(name)) byName.set(name, { locale, texts: Object.fromEntries(texts) })
  }
  const found = new Map<string, Translation>()
  return (locale) => {
    const known = found.get(locale)
    if (known) return known
    const translation = lookUp(byName, normalize(locale))
    if (found.size < MAX_FOUND) found.set(locale, translation)
    return translation
  }
}

function lookUp(byName: ReadonlyMap<string, Translation>, locale: string): Translation {
  for (let range = locale; range !== ''; range = range.slice(0, Math.max(0, range.lastIndexOf('-')))) {
    const translation = byName.get(range)
    if (translation) return translation
  }
  return NO_TRANSLATION
}

/** The locale as it is compared: all spellings of a language tag are the same, and its extensions do not count. */
function normalize(locale: string): string {
  return withoutExtensions(canonicalizeLocale(locale) ?? locale).toLowerCase()
}

// Chooses the translations for a device: those for its whole locale, else those for its language, else none. Without
// translations the defaults in the template are used.
import { NO_TEXTS, type Texts } from './scope.ts'

/** The translations of a request: for each locale, texts by name. */
export type Localizations = ReadonlyMap<string, ReadonlyMap<string, string>>

/**
 * Returns a function that finds the translations for a device's locale. The function keeps the result for each locale.
 */
export function makeTranslations(localizations: Localizations): (locale: string) => Texts {
  const byLocale = new Map<string, Texts>()
  // If a locale is given in two spellings, the first one counts.
  for (const [locale, texts] of localizations) {
    const name = normalize(locale)
    if (!byLocale.has(name)) byLocale.set(name, Object.fromEntries(texts))
  }
  const found = new Map<string, Texts>()
  return (locale) => {
    const known = found.get(locale)
    if (known) return known
    const name = normalize(locale)
    const [language = ''] = name.split('-')
    const texts = byLocale.get(name) ?? byLocale.get(language) ?? NO_TEXTS
    if (found.size < MAX_FOUND) found.set(locale, texts)
    return texts
  }
}

/**
 * The most locales with a kept result: more than exist. A limit is needed because devices can send invented locales.
 */
const MAX_FOUND = 2000

/** Normalizes the spelling of a locale: `pt_BR` and `PT-br` are the same. */
function normalize(locale: string): string {
  return locale.toLowerCase().replaceAll('_', '-')
}

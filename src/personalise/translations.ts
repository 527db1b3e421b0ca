// Which translations a device gets: those for its whole locale, else those for its language, else none, and then the
// defaults in the template stand.
import { NO_TEXTS, type Texts } from './scope.ts'

/** The texts by name, for each locale that a request has any for. */
export type Localizations = ReadonlyMap<string, ReadonlyMap<string, string>>

/** @returns the translations for a device's locale, found once for each locale */
export function makeTranslations(localizations: Localizations): (locale: string) => Texts {
  const byLocale = new Map<string, Texts>()
  // Of two spellings of one locale the first counts.
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

/** More locales than there are; devices could name others. */
const MAX_FOUND = 2000

/** `pt_BR` and `PT-br` are one locale. */
function normalize(locale: string): string {
  return locale.toLowerCase().replaceAll('_', '-')
}

import { expect, test } from 'vitest'
import { makeTranslations } from './translations.ts'

const translate = makeTranslations(
  new Map(['pt', 'pt_PT', 'zh-Hant', 'EN-us', 'fr-CA', 'FR_ca'].map((locale) => [locale, new Map([['from', locale]])])),
)

test.each([
  ['pt', 'pt'],
  ['pt-BR', 'pt'],
  ['PT', 'pt'],
  ['pt-PT', 'pt_PT'],
  ['pt_pt', 'pt_PT'],
  ['en-US', 'EN-us'],
  ['en-us', 'EN-us'],
  ['zh-hant', 'zh-Hant'],
  // Of several spellings of a locale, the first one counts.
  ['fr-CA', 'fr-CA'],
  // Neither this locale nor its language has translations.
  ['zh-Hant-TW', undefined],
  ['en', undefined],
  ['en-GB', undefined],
  ['fr', undefined],
  ['p', undefined],
  ['de', undefined],
  ['', undefined],
  ['-', undefined],
  ['constructor', undefined],
  ['__proto__', undefined],
])('a device in "%s" gets the translations for %s', (locale, expected) => {
  expect(translate(locale).from).toBe(expected)
  // The second call returns the result that the first call has cached.
  expect(translate(locale).from).toBe(expected)
})

test('a translation can have any name', () => {
  const texts = makeTranslations(new Map([['de', new Map([['__proto__', 'own']])]]))('de')
  expect(Object.entries(texts)).toEqual([['__proto__', 'own']])
})

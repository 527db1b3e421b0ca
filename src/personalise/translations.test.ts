import { expect, test } from 'vitest'
import { makeTranslations } from './translations.ts'

const LOCALES = ['pt', 'pt_PT', 'zh', 'zh-Hant', 'EN-us', 'fr-CA', 'FR_ca', 'iw', 'sr_RS_#Latn', 'th-u-nu-thai', 'odd!']
const translate = makeTranslations(new Map(LOCALES.map((locale) => [locale, new Map([['from', locale]])])))

test.each([
  ['pt', 'pt'],
  ['pt-BR', 'pt'],
  ['PT', 'pt'],
  ['pt-PT', 'pt_PT'],
  ['pt_pt', 'pt_PT'],
  ['en-US', 'EN-us'],
  ['en-us', 'EN-us'],
  ['zh-hant', 'zh-Hant'],
  // RFC 4647 section 3.4: the last subtag is left out until a locale matches.
  ['zh-Hant-TW', 'zh-Hant'],
  ['zh_TW_#Hant', 'zh-Hant'],
  ['zh-Hans-CN', 'zh'],
  ['zh-TW', 'zh'],
  ['pt-PT-1990', 'pt_PT'],
  // Extensions and private subtags do not count.
  ['pt-BR-u-ca-gregory', 'pt'],
  ['pt-PT-u-nu-latn-x-own', 'pt_PT'],
  ['en-US-u-hc-h23', 'EN-us'],
  ['th-TH', 'th-u-nu-thai'],
  // Old and other spellings of a locale are the same.
  ['he-IL', 'iw'],
  ['iw_IL', 'iw'],
  ['sr-Latn-RS', 'sr_RS_#Latn'],
  ['odd!', 'odd!'],
  // Of several spellings of a locale, the first one counts.
  ['fr-CA', 'fr-CA'],
  // Neither this locale nor a shorter one has translations.
  ['sr-Cyrl-RS', undefined],
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
  expect(translate(locale).locale).toBe(expected)
  // The second call returns the result that the first call has cached.
  expect(translate(locale)).toMatchObject({ locale: expected, texts: expected === undefined ? {} : { from: expected } })
})

test('a translation can have any name', () => {
  const { texts } = makeTranslations(new Map([['de', new Map([['__proto__', 'own']])]]))('de')
  expect(Object.entries(texts)).toEqual([['__proto__', 'own']])
})

import { describe, expect, it } from 'vitest'
import { canonicalizeLocale, withoutExtensions } from './locale.ts'

describe('the canonical form of a locale', () => {
  it.each([
    // Browsers, Java's toLanguageTag(), .NET, preferredLanguages of iOS.
    ['pt-BR', 'pt-BR'],
    ['zh-Hant-TW', 'zh-Hant-TW'],
    ['PT-br', 'pt-BR'],
    ['sr-latn-rs', 'sr-Latn-RS'],
    ['es-419', 'es-419'],
    ['de-CH-1996', 'de-CH-1996'],
    ['pt-BR-u-ca-gregory', 'pt-BR-u-ca-gregory'],
    ['en-GB-u-hc-h23', 'en-GB-u-hc-h23'],
    // Locale.toString() of Java and Android.
    ['pt_BR', 'pt-BR'],
    ['en_US', 'en-US'],
    ['zh_TW', 'zh-TW'],
    ['zh_TW_#Hant', 'zh-Hant-TW'],
    ['zh__#Hant', 'zh-Hant'],
    ['zh_CN_#Hans_x-java', 'zh-Hans-CN'],
    ['sr_RS_#Latn', 'sr-Latn-RS'],
    ['th_TH_TH_#u-nu-thai', 'th-TH'],
    ['ja_JP_JP_#u-ca-japanese', 'ja-JP'],
    ['no_NO_NY', 'no-NO'],
    ['de__POSIX', 'de-u-va-posix'],
    // Java's old codes of languages.
    ['iw_IL', 'he-IL'],
    ['in_ID', 'id-ID'],
    ['ji', 'yi'],
    // Names of Android resources.
    ['pt-rBR', 'pt-BR'],
    ['b+sr+Latn+RS', 'sr-Latn-RS'],
    ['b+es+419', 'es-419'],
    // Android 14 with regional preferences.
    ['en_US_#u-fw-mon-mu-celsius', 'en-US'],
    // Locale.identifier of iOS.
    ['zh-Hant_TW', 'zh-Hant-TW'],
    ['zh_Hant_HK', 'zh-Hant-HK'],
    ['en_US_POSIX', 'en-US-u-va-posix'],
    ['en_US@calendar=buddhist;currency=EUR', 'en-US'],
    // POSIX: Python's locale.getlocale() and LANG.
    ['en_US.UTF-8', 'en-US'],
    ['de_DE@euro', 'de-DE'],
    ['ca_ES.UTF-8@valencia', 'ca-ES'],
    ['sr_RS@latin', 'sr-Latn-RS'],
    ['sr_RS.UTF-8@latin', 'sr-Latn-RS'],
    ['sr@latin', 'sr-Latn'],
    ['uz_UZ@cyrillic', 'uz-Cyrl-UZ'],
    ['zh_HK.Big5-HKSCS', 'zh-HK'],
    ['C', 'en-US-u-va-posix'],
    ['C.UTF-8', 'en-US-u-va-posix'],
    ['POSIX', 'en-US-u-va-posix'],
    // Extended languages of RFC 5646, which Intl does not read.
    ['zh-cmn-Hans-CN', 'zh-Hans-CN'],
    ['zh-yue-HK', 'yue-HK'],
    ['zh_yue', 'yue'],
    ['zh-min-nan', 'nan'],
    // Flutter and Accept-Language.
    ['en_', 'en'],
    ['en-US,en;q=0.9', 'en-US'],
    ['pt-BR;q=0.8', 'pt-BR'],
    [' en-US', 'en-US'],
    ['en-US ', 'en-US'],
    // Regions that were never codes, and deprecated codes of languages.
    ['en-UK', 'en-GB'],
    ['tl_PH', 'fil-PH'],
    ['mo', 'ro'],
    // .NET.
    ['zh-CHS', 'zh-Hans'],
    ['zh-CHT', 'zh-Hant'],
    ['es-ES_tradnl', 'es-ES-tradnl'],
    ['sr-Cyrl-CS', 'sr-Cyrl-RS'],
  ])('of %s is %s', (text, canonical) => {
    expect(canonicalizeLocale(text)).toBe(canonical)
    // The second call returns the remembered form.
    expect(canonicalizeLocale(text)).toBe(canonical)
    expect(canonicalizeLocale(canonical)).toBe(canonical)
  })

  it.each([
    '',
    'x',
    'b+',
    'c',
    'null',
    '(null)',
    '-',
    '_',
    'en US',
    'English_United States.1252',
    '12',
    '_GB',
    '#Hant',
  ])('does not exist for "%s"', (text) => {
    expect(canonicalizeLocale(text)).toBeUndefined()
  })
})

it.each([
  ['pt-BR-u-ca-gregory', 'pt-BR'],
  ['zh-Hant-TW', 'zh-Hant-TW'],
  ['de-x-private', 'de'],
  ['en-a-bbb-x-a-ccc', 'en'],
])('%s without extensions is %s', (locale, plain) => {
  expect(withoutExtensions(locale)).toBe(plain)
})

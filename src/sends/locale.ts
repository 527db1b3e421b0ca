// Locales as apps write them, and their canonical form, a language tag of BCP 47 (RFC 5646):
//
//   pt-BR, zh-Hant-TW                        browsers, toLanguageTag() of Java, .NET, preferredLanguages of iOS
//   pt_BR, zh-Hant_TW, en_US@calendar=roc    Locale.identifier of iOS
//   pt_BR, zh_TW_#Hant, ja_JP_JP_#u-ca-…     Locale.toString() of Java and Android
//   pt_BR.UTF-8, sr_RS@latin, C              POSIX, so Python's locale and LANG
//   zh-CHS, zh-CHT                           old versions of .NET
//   pt-rBR, b+sr+Latn+RS                     names of Android resources
//   zh-cmn-Hans-CN, zh-yue                   RFC 5646 with an extended language
//   pt-BR,pt;q=0.9                           the header Accept-Language

/** Encoding and modifiers of POSIX, keywords of ICU, and further languages of a list. */
const AFTER_REGION = /[.@,;].*$/s
/** The names of POSIX for no language. ICU reads them as English of the United States too. */
const POSIX_ROOT = /^(?:C|POSIX)(?=$|[.@])/
/** Modifiers of POSIX that are scripts. */
const POSIX_SCRIPTS = new Map([
  ['cyrillic', 'Cyrl'],
  ['devanagari', 'Deva'],
  ['latin', 'Latn'],
])
/** The beginning of a language tag in the name of an Android resource. */
const ANDROID_TAG = /^b\+/
/** The separator before script and extensions in Java's form. */
const JAVA_MARK = '#'
const LANGUAGE = /^[a-z]{2,3}$/i
/** An extended language: no other second subtag has three letters. In the canonical form it replaces the language. */
const EXTENDED_LANGUAGE = /^[a-z]{3}$/i
const SCRIPT = /^[a-z]{4}$/i
/** A region in the name of an Android resource: `pt-rBR`. */
const ANDROID_REGION = /^r(?=[A-Z]{2}$)/
/** .NET's first names of the Chinese scripts. */
const DOTNET_SCRIPTS = new Map([
  ['CHS', 'Hans'],
  ['CHT', 'Hant'],
])

/** The canonical forms of locales. They are remembered because Intl takes some µs for each registration. */
const known = new Map<string, string>()
/** The most remembered locales: more than exist. Devices can send invented ones. */
const MAX_KNOWN = 2000

/**
 * The canonical form of a locale (`pt_BR` and `PT-br` are `pt-BR`), with its extensions; undefined if the text is no
 * locale.
 */
export function canonicalizeLocale(text: string): string | undefined {
  const remembered = known.get(text)
  if (remembered !== undefined) return remembered
  const locale = POSIX_ROOT.test(text) ? 'en-US-u-va-posix' : (canonicalize(text) ?? canonicalizeOther(text.trim()))
  if (locale !== undefined && known.size < MAX_KNOWN) known.set(text, locale)
  return locale
}

/** Reads the spellings that are no language tags. */
function canonicalizeOther(text: string): string | undefined {
  const [before = '', after = ''] = text.replace(AFTER_REGION, '').split(JAVA_MARK, 2)
  const [language = '', ...others] = before.replace(ANDROID_TAG, '').split(/[-_+]/)
  if (!LANGUAGE.test(language)) return undefined
  const subtags = [language, ...others.filter((subtag) => subtag !== '').map(readSubtag)]
  while (EXTENDED_LANGUAGE.test(subtags[1] ?? '')) subtags.shift()
  const script = findScript(text, after)
  if (script !== undefined) subtags.splice(1, 0, script)
  // Java's variants, such as the NY of `no_NO_NY`, may be no subtags of BCP 47. The rest of the locale is kept.
  return canonicalize(subtags.join('-')) ?? canonicalize(subtags.slice(0, -1).join('-'))
}

/** The script behind the region, of Java's or of POSIX' form. */
function findScript(text: string, afterMark: string): string | undefined {
  const [script = ''] = afterMark.split(/[-_]/, 1)
  if (SCRIPT.test(script)) return script
  return POSIX_SCRIPTS.get(/@(\w+)$/.exec(text)?.[1] ?? '')
}

function readSubtag(subtag: string): string {
  return DOTNET_SCRIPTS.get(subtag.toUpperCase()) ?? subtag.replace(ANDROID_REGION, '')
}

function canonicalize(tag: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(tag)[0]
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** A canonical locale without its extensions and private subtags (`-u-…`, `-x-…`). */
export function withoutExtensions(locale: string): string {
  const at = locale.search(/-[0-9a-z]-/i)
  return at < 0 ? locale : locale.slice(0, at)
}

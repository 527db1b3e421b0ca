// Time zones as apps write them, and the names under which they are stored: IANA names, as Intl and PostgreSQL know them.
//
//   Europe/Berlin, Asia/Calcutta, UTC        the usual names, old ones too
//   GMT+02:00, GMT+0200, UTC+2               Java, iOS and .NET, for a phone with a fixed offset instead of a place

/** A fixed offset of whole hours. Those with minutes have no IANA name. */
const FIXED_OFFSET = /^(?:GMT|UTC)([+-])(\d{1,2})(?::?00)?$/
/** The offsets of the names `Etc/GMT+12` to `Etc/GMT-14`. */
const MAX_HOURS = { '-': 12, '+': 14 }

/** Time zones that Intl has accepted. They are remembered because a check by Intl takes 0.1 ms. */
const known = new Set<string>()
/**
 * The most remembered time zones. There are about 600 names, but Intl accepts each in any mix of upper and lower case.
 */
const MAX_KNOWN = 2000

/** The IANA name of a time zone (`GMT+02:00` is `Etc/GMT-2`); undefined if the text is no time zone. */
export function canonicalizeTimezone(text: string): string | undefined {
  if (known.has(text)) return text
  const name = nameOfOffset(text.trim()) ?? text.trim()
  if (!isTimezone(name)) return undefined
  if (known.size < MAX_KNOWN) known.add(name)
  return name
}

/** In the names of fixed offsets `+` means west of Greenwich. */
function nameOfOffset(text: string): string | undefined {
  const [, sign, digits] = FIXED_OFFSET.exec(text) ?? []
  const hours = Number(digits)
  if ((sign !== '+' && sign !== '-') || hours > MAX_HOURS[sign]) return undefined
  return hours === 0 ? 'Etc/GMT' : `Etc/GMT${sign === '+' ? '-' : '+'}${hours}`
}

function isTimezone(value: string): boolean {
  // A zone must begin with a letter: newer versions of Intl also accept offsets such as "+01:00", which are not IANA
  // zones.
  if (!/^[A-Za-z]/.test(value)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: value })
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

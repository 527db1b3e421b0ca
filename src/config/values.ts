// How configuration values may be written: as their JSON type or, as in environment variables, as text.
import { isIP } from 'node:net'
import * as v from 'valibot'

const DURATION_UNITS_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Go's notation (`"720h"`, `"1m30s"`, `"1.5h"`, `"0"`) to milliseconds; undefined when it isn't one. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0
  const part = /(\d+(?:\.\d+)?)(ms|s|m|h)/y
  let totalMs = 0
  for (let match = part.exec(text); match; match = part.exec(text)) {
    totalMs += Number(match[1]) * (DURATION_UNITS_MS[match[2] ?? ''] ?? 0)
    if (part.lastIndex === text.length) return Math.round(totalMs)
  }
  return undefined
}

export const text = v.pipe(
  v.union([v.string(), v.number(), v.boolean()], (issue) => `expected text but found ${issue.received}`),
  v.transform(String),
)

export const filledText = v.pipe(text, v.nonEmpty('must not be empty'))

/** A PostgreSQL DSN. It may hold a password, so what was found is not shown. */
export const dsn = v.pipe(
  v.string(),
  v.check(
    (value) => /^postgres(ql)?:$/.test(URL.parse(value)?.protocol ?? ''),
    'expected postgresql://user:password@host:port/database (characters such as @ and / in a password as %40 and %2F)',
  ),
)

export const flag = v.union(
  [
    v.boolean(),
    v.pipe(
      v.picklist(['true', 'false', '1', '0']),
      v.transform((word) => word === 'true' || word === '1'),
    ),
  ],
  (issue) => `expected true or false but found ${issue.received}`,
)

/** A whole number from `min` to `max`, or its digits. */
export function wholeNumber(min: number, max: number) {
  return v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.digits(), v.transform(Number))], (issue) => {
      return `expected a whole number from ${min} to ${max} but found ${issue.received}`
    }),
    v.check(
      (value) => Number.isInteger(value) && value >= min && value <= max,
      (issue) => `expected a whole number from ${min} to ${max} but found ${issue.input}`,
    ),
  )
}

/** A factor above zero, or its text. */
export const factor = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.decimal(), v.transform(Number))]),
  v.check((value) => value > 0 && Number.isFinite(value), 'expected a number above 0'),
)

/** A duration in Go's notation, at least `minMs`; comes out in milliseconds. */
export function duration(minMs = 0) {
  return v.pipe(
    text,
    v.rawTransform<string, number>(({ dataset, addIssue, NEVER }) => {
      const ms = parseDuration(dataset.value)
      if (ms !== undefined && ms >= minMs) return ms
      addIssue({
        message: `expected a duration such as "30s" or "1h30m", at least ${minMs}ms, but found "${dataset.value}"`,
      })
      return NEVER
    }),
  )
}

/** A list of texts; in the environment separated by spaces, or JSON. */
export const textList = v.union([
  v.array(text),
  v.pipe(
    v.string(),
    v.transform((written) => (written.startsWith('[') ? parseJson(written) : written.split(/\s+/).filter(Boolean))),
    v.array(v.string()),
  ),
])

function parseJson(written: string): unknown {
  try {
    return JSON.parse(written)
  } catch {
    return undefined
  }
}

/** One of a few words. */
export function oneOf<const Words extends readonly string[]>(words: Words) {
  return v.picklist(
    words,
    (issue) => `expected one of ${words.map((word) => `"${word}"`).join(', ')} but found ${issue.received}`,
  )
}

/** An absolute URL with one of `protocols` (`https:`). */
export function url(...protocols: string[]) {
  return v.pipe(
    v.string(),
    v.check(
      (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol),
      (issue) =>
        `expected a URL that starts with ${protocols.map((p) => `${p}//`).join(' or ')} but found "${issue.input}"`,
    ),
  )
}

/** A block of IP addresses in CIDR notation (`10.1.0.0/16`, `fd00:1::/32`). */
export const networkBlock = v.pipe(
  v.string(),
  v.check(isNetworkBlock, (issue) => `expected a block of addresses such as "10.1.0.0/16" but found "${issue.input}"`),
)

function isNetworkBlock(value: string): boolean {
  const [network = '', bits = '', ...rest] = value.split('/')
  const maxBits = { 0: -1, 4: 32, 6: 128 }[isIP(network)] ?? -1
  return rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= maxBits && !network.includes('%')
}

/** RFC 8292 section 2.1: whom a push service may write to. Safari's refuses spaces and brackets. */
export const contactUri = v.pipe(
  v.string(),
  v.check(
    (value) => /^mailto:[^\s<>@]+@[^\s<>@]+$/.test(value) || (/^https:[^\s<>]+$/.test(value) && URL.canParse(value)),
    (issue) => `expected mailto:you@example.com or an https URL but found "${issue.input}"`,
  ),
)

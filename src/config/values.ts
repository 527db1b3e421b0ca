// The kinds of values of options. Each accepts its JSON type, or text as in environment variables. The metadata of a
// kind is its name in docs/configuration.md and its type in the JSON Schema for editors.

import { isIP } from 'node:net'
import * as v from 'valibot'
import { parseJsonOrUndefined } from '../json/parse-or-undefined.ts'
import { parseDuration } from './duration.ts'
import { isNetworkBlock } from './network-blocks.ts'
import { DsnError } from './postgres/connection-string.ts'
import { parsePostgresDsn } from './postgres/postgres-dsn.ts'

/** The metadata that describes a kind of values, for the documentation and for editors. */
export type ValueKind = {
  /** The name of the kind in docs/configuration.md, for example `duration`. */
  kind: string
  /** The JSON Schema of a value as it is written in a file. */
  json: Readonly<Record<string, unknown>>
}

/**
 * Makes the metadata of a kind. It must come before the first transformation of a pipe, where the generator of the JSON
 * Schema stops.
 */
export function kindOf<Input>(kind: string, json: ValueKind['json']) {
  return v.metadata<Input, ValueKind>({ kind, json })
}

/** Any scalar as text: YAML reads `port: 1` as a number, even where text is meant. */
const scalar = v.union([v.string(), v.number(), v.boolean()], (issue) => `expected text but found ${issue.received}`)
type Scalar = v.InferOutput<typeof scalar>

const TEXT = { type: 'string' } as const

/** A text, which may be empty. */
export const text = v.pipe(scalar, kindOf<Scalar>('text', TEXT), v.transform(String))

/** A text of at least one character. */
export const filledText = v.pipe(text, v.nonEmpty('expected text but found none'))

/** A text that is sent in an HTTP header: no control characters, and no spaces around it, which HTTP removes. */
export const headerText = v.pipe(
  filledText,
  v.check(
    (value) => /^[^\p{Cc}\s](?:\P{Cc}*[^\p{Cc}\s])?$/u.test(value),
    'expected text without line breaks or spaces around it',
  ),
)

/** The id of an app of HMS, which becomes part of the path of a URL. */
export const hmsAppId = v.pipe(filledText, v.regex(/^[^\s/?#]+$/, 'expected an id without spaces'))

/** The name of a host. */
const HOST_NAME = /^[a-z\d_](?:[a-z\d._-]*[a-z\d_])?\.?$/i

/** An address to listen on; empty for all interfaces. IPv6 addresses may stand in brackets. */
export const listenAddress = v.pipe(
  text,
  v.transform((value) => value.replace(/^\[(.*)\]$/, '$1')),
  v.check(
    (value) => value === '' || isIP(value) !== 0 || HOST_NAME.test(value),
    (issue) => `expected an address such as "0.0.0.0" or "::", without a port, but found "${issue.input}"`,
  ),
)

/** PEM material: the text itself, its base64, or the path of a file. */
export const pem = v.pipe(scalar, kindOf<Scalar>('PEM text, its base64, or a file', TEXT), v.transform(String))

/** The path of a file. */
export const file = v.pipe(
  scalar,
  kindOf<Scalar>('file', TEXT),
  v.transform(String),
  v.nonEmpty('expected the path of a file but found none'),
)

/** A connection string of PostgreSQL. It may contain a password, so the error does not show the value. */
export const dsn = v.pipe(
  v.string('expected postgresql://user:password@host:port/database'),
  kindOf<string>('PostgreSQL DSN', TEXT),
  v.metadata({ isSecret: true }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    try {
      parsePostgresDsn(dataset.value)
    } catch (error) {
      if (!(error instanceof DsnError)) throw error
      addIssue({ message: error.message })
    }
  }),
)

/** True or false; as text also `1` or `0`. */
export const flag = v.pipe(
  v.union([v.boolean(), v.picklist(['true', 'false', '1', '0'])], (issue) => {
    return `expected true or false but found ${issue.received}`
  }),
  kindOf<boolean | 'true' | 'false' | '1' | '0'>('true or false', { type: 'boolean' }),
  v.transform((value) => value === true || value === 'true' || value === '1'),
)

/** A whole number from `min` to `max`, as a number or as text. */
export function wholeNumber(min: number, max: number) {
  const allowed = `whole number from ${min} to ${max}`
  return v.pipe(
    v.union(
      [
        v.number(),
        v.pipe(
          v.string(),
          v.regex(/^\d+$/, (issue) => `expected a ${allowed} but found ${issue.received}`),
        ),
      ],
      (issue) => `expected a ${allowed} but found ${issue.received}`,
    ),
    kindOf<number | string>(allowed, { type: 'integer', minimum: min, maximum: max }),
    v.transform(Number),
    v.check(
      (value) => Number.isInteger(value) && value >= min && value <= max,
      (issue) => `expected a ${allowed} but found ${issue.input}`,
    ),
  )
}

/** A number above zero, as a number or as text. */
export const factor = v.pipe(
  v.union(
    [
      v.number(),
      v.pipe(
        v.string(),
        v.decimal((issue) => `expected a number above 0 but found ${issue.received}`),
      ),
    ],
    (issue) => `expected a number above 0 but found ${issue.received}`,
  ),
  kindOf<number | string>('number above 0', { type: 'number', exclusiveMinimum: 0 }),
  v.transform(Number),
  v.check(
    (value) => value > 0 && Number.isFinite(value),
    (issue) => `expected a number above 0 but found ${issue.input}`,
  ),
)

/** A duration in Go's notation of at least `minMs`. It is converted to milliseconds. */
export function duration(minMs = 0) {
  return v.pipe(
    scalar,
    kindOf<Scalar>(minMs === 0 ? 'duration' : `duration, at least ${minMs}ms`, { type: ['string', 'integer'] }),
    v.transform(String),
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

const writtenList = v.union(
  [
    v.array(text),
    v.pipe(
      v.string(),
      v.transform((written) =>
        written.startsWith('[') ? parseJsonOrUndefined(written) : written.split(/\s+/).filter(Boolean),
      ),
      v.array(v.string()),
    ),
  ],
  (issue) => `expected a list but found ${issue.received}`,
)

type Metadata = Readonly<Record<string, unknown>>

/**
 * A list of values. In the environment they are separated by spaces, or written as JSON. If its items are secret, the
 * list is.
 * @param items the name of the list's items in docs/configuration.md
 */
export function list<const Item extends v.GenericSchema<string, unknown>>(item: Item, items: string) {
  const kind = kindOf<v.InferOutput<typeof writtenList>>(`list of ${items}`, { type: 'array', items: TEXT })
  const { isSecret } = { isSecret: false, ...v.getMetadata(item) }
  return v.pipe(writtenList, kind, v.metadata<v.InferOutput<typeof writtenList>, Metadata>({ isSecret }), v.array(item))
}

/** Text that must be one of `words`. */
export function oneOf<const Words extends readonly string[]>(words: Words) {
  const listed = words.map((word) => `"${word}"`).join(', ')
  return v.pipe(
    v.picklist(words, (issue) => `expected one of ${listed} but found ${issue.received}`),
    kindOf<Words[number]>(`one of ${words.map((word) => `\`"${word}"\``).join(', ')}`, { enum: words }),
  )
}

/** An absolute URL with one of `protocols`, for example `https:`. */
export function url(...protocols: string[]) {
  const starts = protocols.map((protocol) => `${protocol}//`).join(' or ')
  return v.pipe(
    v.string(`expected a URL that starts with ${starts}`),
    kindOf<string>(`${starts} URL`, TEXT),
    v.check(
      (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol),
      (issue) => `expected a URL that starts with ${starts} but found "${issue.input}"`,
    ),
  )
}

/** A block of IP addresses in CIDR notation (`10.1.0.0/16`, `fd00:1::/32`). */
export const networkBlock = v.pipe(
  v.string(),
  v.check(isNetworkBlock, (issue) => `expected a block of addresses such as "10.1.0.0/16" but found "${issue.input}"`),
)

/**
 * The contact in VAPID tokens (RFC 8292 section 2.1). Safari's push service refuses one with spaces or angle brackets.
 */
export const contactUri = v.pipe(
  v.string('expected mailto:you@example.com or an https URL'),
  kindOf<string>('mailto: or https:// URI', TEXT),
  v.check(
    (value) => /^mailto:[^\s<>@]+@[^\s<>@]+$/.test(value) || (/^https:[^\s<>]+$/.test(value) && URL.canParse(value)),
    (issue) => `expected mailto:you@example.com or an https URL but found "${issue.input}"`,
  ),
  v.check(
    (value) => !/[@/.]localhost(:\d+)?([/?].*)?$/i.test(value.replace(/^(https:\/\/[^/?#]*).*$/, '$1')),
    (issue) => `expected a contact on the internet: Apple refuses "${issue.input}" (BadJwtToken)`,
  ),
)

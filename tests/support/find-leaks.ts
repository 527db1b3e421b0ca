import { PAYLOAD_MARK, TOKEN_MARK } from './run-log.ts'

/** Forms that are sensitive with any value. Simulators and tests make their tokens and keys in these forms. */
const FORMS: readonly [name: string, form: RegExp][] = [
  ['a JSON web token', /\beyJ[\w-]{8,}/],
  ['a private key', /PRIVATE KEY/],
  ['an access token', /\bsimulated[./][\w+/-]{16,}/],
  ['an Authorization header', /\b(?:bearer|vapid|apikey) [\w.=+/-]{6,}/i],
  ['an APNs device token or an app secret', /\b[0-9a-f]{64}/i],
  ['a key of a browser or of VAPID', /\bB[\w-]{86}\b/],
  ['the path of a Web Push endpoint', /(?<!\/(?:src|tests))\/(?:push|wpush|fcm\/send)\/[\w%]/],
  ['the path of an APNs device', /\/3\/device\/[\w%]/],
  ['a token', new RegExp(TOKEN_MARK)],
  ['a payload', new RegExp(PAYLOAD_MARK)],
]

/** A log line may contain a shorter word by chance. */
export const SHORTEST_SECRET = 6

const WORD = /[^\s"'\\,;{}[\]()<>]+/g
/** JSON's escapes of tabs and line ends, which are not part of the next word. */
const ESCAPES = /\\[nrt]/g
const SEPARATORS = /[/=?&]/

export interface Leak {
  what: string
  line: string
}

/** Finds the lines of a log that contain one of the secrets as a word, or text of a sensitive form. */
export function findLeaks(log: string, secrets: ReadonlySet<string>): Leak[] {
  return log.split('\n').flatMap((line) => {
    const what = FORMS.find(([, form]) => form.test(line))?.[0] ?? findSecret(line, secrets)
    return what === undefined ? [] : [{ what, line }]
  })
}

function findSecret(line: string, secrets: ReadonlySet<string>): string | undefined {
  const words = (line.replace(ESCAPES, ' ').match(WORD) ?? []).flatMap((word) => [word, ...word.split(SEPARATORS)])
  const found = words.find((word) => word.length >= SHORTEST_SECRET && secrets.has(word))
  return found === undefined ? undefined : `the secret ${found}`
}

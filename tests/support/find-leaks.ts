import { PAYLOAD_MARK, TOKEN_MARK } from './run-log.ts'

/** What is sensitive whatever its value: simulators and tests make theirs in these forms. */
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

/** Shorter ones are words that a log line may have by chance. */
export const SHORTEST_SECRET = 6

const WORD = /[^\s"'\\,;{}[\]()<>]+/g
/** What JSON makes of tabs and ends of lines: no part of the word behind it. */
const ESCAPES = /\\[nrt]/g
const SEPARATORS = /[/=?&]/

export interface Leak {
  what: string
  line: string
}

/** Lines of a log that hold one of the secrets as a word of theirs, or anything of a sensitive form. */
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

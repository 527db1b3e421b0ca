// Which endpoints a browser may register. An endpoint is a URL that a stranger gives and that is fetched later, so it has
// to be one of a push service: https, a domain name, an allowed origin. Where its name leads to is checked at connect.
import { isIP } from 'node:net'
import { compileOriginPattern } from '../config/origin-pattern.ts'
import type { Config } from '../config/schema.ts'

/** What is wrong with an endpoint, without its text; undefined when nothing is. */
export type EndpointCheck = (endpoint: string) => string | undefined

type WebPushOptions = Config['push_notifications']['webpush']
type OriginOptions = Pick<WebPushOptions, 'allowed_endpoint_origins' | 'extra_allowed_endpoint_origins'>

/** The push services of Chromium, Safari, Edge and Firefox, as Centrifugo PRO lists them. */
const BROWSER_PUSH_SERVICES = [
  'https://*.googleapis.com',
  'https://*.push.apple.com',
  'https://*.notify.windows.com',
  'https://*.push.services.mozilla.com',
]

/** The longest name that DNS has; keeps the matching of patterns with several stars short. */
const MAX_HOST_LENGTH = 253

/** The check that the configuration asks for. @throws Error for a malformed pattern, of which a configuration has none */
export function makeEndpointCheck(options: OriginOptions): EndpointCheck {
  const { allowed_endpoint_origins: allowed, extra_allowed_endpoint_origins: extra } = options
  const patterns = [...(allowed.length === 0 ? BROWSER_PUSH_SERVICES : allowed), ...extra].map(readPattern)
  return (endpoint) => {
    if (!URL.canParse(endpoint)) return 'not a URL'
    const url = new URL(endpoint)
    if (url.protocol !== 'https:') return 'not https'
    if (url.username !== '' || url.password !== '') return 'holds a user or a password'
    if (isAddress(url.hostname)) return 'an IP address instead of a domain name'
    if (url.hostname.length > MAX_HOST_LENGTH) return 'not a domain name'
    const isAllowed = patterns.some(
      ({ origin, takesPorts }) => origin.test(url.origin) && (url.port === '' || takesPorts),
    )
    return isAllowed ? undefined : 'not of an allowed origin'
  }
}

/** The parser has brought every notation of an IPv4 address (decimal, octal, hex, other digits) to the dotted one. */
function isAddress(hostname: string): boolean {
  return hostname.startsWith('[') || isIP(hostname) !== 0
}

/** A port other than 443 has to be meant: by one in the pattern, or by `*`, which is any origin. */
function readPattern(pattern: string) {
  const origin = compileOriginPattern(pattern)
  if (!origin) throw new Error('a pattern of Web Push origins is malformed')
  return { origin, takesPorts: pattern === '*' || /^[^/]*\/\/.*:/.test(pattern) }
}

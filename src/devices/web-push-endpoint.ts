// The Web Push endpoints that may be registered. An endpoint is a URL from an untrusted client that the server requests
// later (server-side request forgery, SSRF). So it must be the URL of a push service: https, a domain name, an allowed
// origin. The IP addresses of the name are checked when the server connects.
import { isIP } from 'node:net'
import { compileOriginPattern } from '../config/origin-pattern.ts'
import type { Config } from '../config/schema.ts'

/**
 * Checks an endpoint. Returns the problem; undefined if it is allowed. Of the endpoint, which is a secret, the problem
 * contains at most the origin.
 */
export type EndpointCheck = (endpoint: string) => string | undefined

type WebPushOptions = Config['push_notifications']['webpush']
type OriginOptions = Pick<WebPushOptions, 'allowed_endpoint_origins' | 'extra_allowed_endpoint_origins'>

/** The origins of the push services of Chromium, Safari, Edge and Firefox, as Centrifugo PRO lists them. */
const BROWSER_PUSH_SERVICES = [
  'https://*.googleapis.com',
  'https://*.push.apple.com',
  'https://*.notify.windows.com',
  'https://*.push.services.mozilla.com',
]

/** The option that allows further origins, for errors. */
const EXTRA_ORIGINS = 'push_notifications.webpush.extra_allowed_endpoint_origins'

/** The longest host name of DNS. It bounds the time to match patterns with several stars. */
const MAX_HOST_LENGTH = 253

/**
 * Makes the check of endpoints from the origins in the configuration.
 * @throws Error for a malformed pattern, which a loaded configuration cannot have
 */
export function makeEndpointCheck(options: OriginOptions): EndpointCheck {
  const { allowed_endpoint_origins: allowed, extra_allowed_endpoint_origins: extra } = options
  const patterns = [...(allowed.length === 0 ? BROWSER_PUSH_SERVICES : allowed), ...extra].map(readPattern)
  return (endpoint) => {
    if (!URL.canParse(endpoint)) return 'not a URL'
    const url = new URL(endpoint)
    if (url.protocol !== 'https:') return 'not https'
    if (url.username !== '' || url.password !== '') return 'a URL with a user or a password'
    if (isAddress(url.hostname)) return 'an IP address instead of a domain name'
    if (url.hostname.length > MAX_HOST_LENGTH) return 'not a domain name'
    const isAllowed = patterns.some(
      ({ origin, takesPorts }) => origin.test(url.origin) && (url.port === '' || takesPorts),
    )
    return isAllowed ? undefined : `not of an allowed origin: ${EXTRA_ORIGINS} can allow ${url.origin}`
  }
}

/**
 * Whether the host is an IP address. The URL parser has converted all notations of IPv4 (decimal, octal, hex) to dotted
 * decimal.
 */
function isAddress(hostname: string): boolean {
  return hostname.startsWith('[') || isIP(hostname) !== 0
}

/**
 * Reads the pattern of an origin. Ports other than 443 match only a pattern with a port, or `*`, which allows any
 * origin.
 */
function readPattern(pattern: string) {
  const origin = compileOriginPattern(pattern)
  if (!origin) throw new Error('a pattern of Web Push origins is malformed')
  return { origin, takesPorts: pattern === '*' || /^[^/]*\/\/.*:/.test(pattern) }
}

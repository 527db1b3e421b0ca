import { rootCertificates } from 'node:tls'

/**
 * What to pass to TLS as `ca`: the built-in authorities and the given one (PEM). Undefined without one, which leaves
 * TLS its default; giving only the extra one would stop trusting the public authorities.
 */
export function trustedAuthorities(extraCaPem: string | undefined): string[] | undefined {
  return extraCaPem === undefined ? undefined : [...rootCertificates, extraCaPem]
}

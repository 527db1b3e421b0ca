import { rootCertificates } from 'node:tls'

/**
 * The `ca` option of TLS: the built-in authorities and the given one (PEM). Undefined without one, for the default of
 * TLS. The given one alone would replace the public authorities.
 */
export function trustedAuthorities(extraCaPem: string | undefined): string[] | undefined {
  return extraCaPem === undefined ? undefined : [...rootCertificates, extraCaPem]
}

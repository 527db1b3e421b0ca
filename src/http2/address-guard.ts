import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'

/** Says of an IP address (v4, v6, v4 mapped into v6) whether it may be connected to. */
export type IsAddressAllowed = (address: string) => boolean

/** No address of the host may be connected to. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
  readonly code = 'ERR_ADDRESS_REFUSED'
}

/** Whether the host is an address that may not be connected to; names are judged when they are looked up. */
export function isRefusedLiteral(host: string, isAllowed: IsAddressAllowed | undefined): boolean {
  return isIP(host) !== 0 && isAllowed !== undefined && !isAllowed(host)
}

/**
 * A lookup whose results are connected to without another one, so that nobody can answer a check with one address and
 * the connection with another (DNS rebinding). Fails with `AddressRefused` where no address is allowed.
 */
export function guardLookup(isAllowed: IsAddressAllowed, lookup: LookupFunction = dnsLookup): LookupFunction {
  return (hostname, options, callback) => {
    // All of them: a host may have a public and a private one.
    lookup(hostname, { ...options, all: true }, (error, found, family) => {
      if (error) return callback(error, options.all ? [] : '', 0)
      const all: LookupAddress[] =
        typeof found === 'string' ? [{ address: found, family: family ?? isIP(found) }] : found
      const allowed = all.filter(({ address }) => isAllowed(address))
      const [first] = allowed
      if (!first) callback(new AddressRefused(), options.all ? [] : '', 0)
      else if (options.all) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }
}

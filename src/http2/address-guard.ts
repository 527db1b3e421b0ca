import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'

/** Whether connections to an IP address (v4, v6, v4 mapped into v6) are allowed. */
export type IsAddressAllowed = (address: string) => boolean

/** No address of the host is allowed. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
  readonly code = 'ERR_ADDRESS_REFUSED'
}

/**
 * Whether the host is an IP address that is not allowed. Names are checked when they are resolved, by `guardLookup`.
 */
export function isRefusedLiteral(host: string, isAllowed: IsAddressAllowed | undefined): boolean {
  return isIP(host) !== 0 && isAllowed !== undefined && !isAllowed(host)
}

/**
 * Resolves names to allowed addresses only. The connection uses these results without a second lookup, so DNS rebinding
 * can't replace an address after the check. Fails with `AddressRefused` when no address is allowed.
 */
export function guardLookup(isAllowed: IsAddressAllowed, lookup: LookupFunction = dnsLookup): LookupFunction {
  return (hostname, options, callback) => {
    // All addresses, because a host may have public and private ones.
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

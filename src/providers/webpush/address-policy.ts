// The addresses that a push service may have. Endpoints are URLs from untrusted clients, and their names may resolve to
// any address. So connections are made to addresses of the public internet only. The others are listed in
// https://www.iana.org/assignments/iana-ipv4-special-registry and
// https://www.iana.org/assignments/iana-ipv6-special-registry.
import { type BlockList, isIP, isIPv6 } from 'node:net'
import { makeBlockList } from '../../config/network-blocks.ts'
import type { IsAddressAllowed } from '../../http2/address-guard.ts'

const SPECIAL_IPV4 = [
  '0.0.0.0/8', // this host
  '10.0.0.0/8',
  '100.64.0.0/10', // carrier-grade NAT
  '127.0.0.0/8',
  '169.254.0.0/16', // link-local, includes the metadata services of clouds
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16',
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
]

/**
 * The block of all public IPv6 addresses. It has no loopback, link-local, unique local, multicast or unassigned ones.
 */
const GLOBAL_IPV6 = '2000::/3'

const SPECIAL_IPV6 = [
  '2001::/23', // protocol assignments: Teredo, benchmarks, ORCHID
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4: contains an IPv4 address to which a relay forwards
  '3fff::/20', // documentation
]

/** IPv6 prefixes that contain an IPv4 address in the last 32 bits and lead to it: IPv4-mapped, and NAT64 (RFC 6052). */
const EMBEDDINGS = ['::ffff:0:0', '64:ff9b::']
const EMBEDDING_BITS = 96

/**
 * Makes the check of addresses: it allows public ones, and those in `privateNetworks` (CIDR blocks) of the
 * configuration.
 */
export function makeAddressPolicy(privateNetworks: readonly string[]): IsAddressAllowed {
  const publicV6 = makeBlockList([GLOBAL_IPV6, ...EMBEDDINGS.map((prefix) => `${prefix}/${EMBEDDING_BITS}`)])
  const special = listOf([...SPECIAL_IPV4, ...SPECIAL_IPV6])
  const configured = listOf(privateNetworks)
  return (address) => {
    // Addresses with a zone (`fe80::1%eth0`) are link-local, so they are not allowed.
    if (isIP(address) === 0 || address.includes('%')) return false
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (configured.check(address, family)) return true
    return !special.check(address, family) && (family === 'ipv4' || publicV6.check(address, family))
  }
}

/** Makes the list of blocks. IPv4 blocks are also added in the forms in which IPv6 addresses embed them. */
function listOf(blocks: readonly string[]): BlockList {
  return makeBlockList(blocks.flatMap((block) => [block, ...embed(block)]))
}

/** The forms of an IPv4 block in the IPv6 prefixes: `10.0.0.0/8` gives `::ffff:10.0.0.0/104`, for example. */
function embed(block: string): string[] {
  const [network = '', bits = ''] = block.split('/')
  if (isIPv6(network)) return []
  return EMBEDDINGS.map((prefix) => `${prefix.replace(/0:0$/, '')}${network}/${EMBEDDING_BITS + Number(bits)}`)
}

// Which addresses a push service may have. Endpoints are URLs that strangers give, and their names may lead anywhere, so
// only addresses of the public internet are connected to (https://www.iana.org/assignments/iana-ipv4-special-registry
// and https://www.iana.org/assignments/iana-ipv6-special-registry list those that are not).
import { BlockList, isIP, isIPv6 } from 'node:net'
import type { IsAddressAllowed } from '../../http2/address-guard.ts'

const SPECIAL_IPV4 = [
  '0.0.0.0/8', // this host
  '10.0.0.0/8',
  '100.64.0.0/10', // carrier-grade NAT
  '127.0.0.0/8',
  '169.254.0.0/16', // link-local, the metadata services of clouds among them
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // relays of 6to4
  '192.168.0.0/16',
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
]

/** Everything public is in here; loopback, link-local, unique local, multicast and what is not assigned yet is not. */
const GLOBAL_IPV6 = '2000::/3'

const SPECIAL_IPV6 = [
  '2001::/23', // protocol assignments: Teredo, benchmarks, ORCHID
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4: holds an IPv4 address, which a relay would send on to
  '3fff::/20', // documentation
]

/** Prefixes before an IPv4 address in the last 32 bits, which is what is reached: mapped, and NAT64 (RFC 6052). */
const EMBEDDINGS = ['::ffff:0:0', '64:ff9b::']
const EMBEDDING_BITS = 96

/** The rule: public addresses, and those in `privateNetworks` (CIDR blocks), which the operator vouches for. */
export function makeAddressPolicy(privateNetworks: readonly string[]): IsAddressAllowed {
  const publicV6 = new BlockList()
  addBlock(publicV6, GLOBAL_IPV6)
  for (const prefix of EMBEDDINGS) addBlock(publicV6, `${prefix}/${EMBEDDING_BITS}`)
  const special = listOf([...SPECIAL_IPV4, ...SPECIAL_IPV6])
  const vouchedFor = listOf(privateNetworks)
  return (address) => {
    // Also false of an address with a zone (`fe80::1%eth0`), which is link-local.
    if (isIP(address) === 0 || address.includes('%')) return false
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (vouchedFor.check(address, family)) return true
    return !special.check(address, family) && (family === 'ipv4' || publicV6.check(address, family))
  }
}

/** Blocks of IPv4 also as they are embedded in IPv6. */
function listOf(blocks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const block of blocks) {
    addBlock(list, block)
    const [network = '', bits = ''] = block.split('/')
    if (isIPv6(network)) continue
    for (const prefix of EMBEDDINGS) addBlock(list, `${embed(prefix, network)}/${EMBEDDING_BITS + Number(bits)}`)
  }
  return list
}

/** `::ffff:0:0` and `10.0.0.0` to `::ffff:10.0.0.0`. */
function embed(prefix: string, network: string): string {
  return `${prefix.replace(/0:0$/, '')}${network}`
}

function addBlock(list: BlockList, block: string): void {
  const [network = '', bits = ''] = block.split('/')
  list.addSubnet(network, Number(bits), isIPv6(network) ? 'ipv6' : 'ipv4')
}

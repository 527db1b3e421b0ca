// Blocks of IP addresses in CIDR notation: `10.1.0.0/16`, `fd00:1::/32`.
import { BlockList, isIP, isIPv6 } from 'node:net'

/** Whether `value` is a block of addresses. */
export function isNetworkBlock(value: string): boolean {
  const [network = '', bits = '', ...rest] = value.split('/')
  const maxBits = { 0: -1, 4: 32, 6: 128 }[isIP(network)] ?? -1
  return rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= maxBits && !network.includes('%')
}

/** Makes a list of valid blocks. A block of IPv4 also contains the IPv4-mapped form of its addresses. */
export function makeBlockList(blocks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const block of blocks) {
    const [network = '', bits = ''] = block.split('/')
    list.addSubnet(network, Number(bits), isIPv6(network) ? 'ipv6' : 'ipv4')
  }
  return list
}

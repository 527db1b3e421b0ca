import type { IncomingMessage } from 'node:http'
import { type BlockList, isIP, isIPv6 } from 'node:net'
import { makeBlockList } from '../config/network-blocks.ts'

/** The headers with the address of a client, for the node. */
export interface AddressHeaders {
  /** All known addresses of the way, the client's first. */
  'x-forwarded-for': string
  'x-real-ip': string
}

/**
 * Makes a function that finds the address of the client of a request. A node takes both headers as they are, for its
 * log and for its proxies (`http_headers`), so what an untrusted peer writes is replaced: any client can write them.
 * A trusted proxy's headers are kept. Undefined when the connection is closed already.
 * @param trustedProxies CIDR blocks
 */
export function makeAddressReader(
  trustedProxies: readonly string[],
): (incoming: IncomingMessage) => AddressHeaders | undefined {
  const trusted = makeBlockList(trustedProxies)
  return ({ socket, headers }) => {
    if (socket.remoteAddress === undefined) return undefined
    const peer = plainAddress(socket.remoteAddress)
    if (trustedProxies.length === 0 || !isIn(trusted, peer)) return { 'x-forwarded-for': peer, 'x-real-ip': peer }
    const way = [...splitAddresses(headers['x-forwarded-for']), peer]
    const [given = '', ...more] = splitAddresses(headers['x-real-ip'])
    const isGiven = more.length === 0 && isIP(given) !== 0
    return { 'x-forwarded-for': way.join(', '), 'x-real-ip': isGiven ? given : findClient(way, trusted) }
  }
}

/**
 * The last address of the way that is not a trusted proxy: the entries before it can be forged. Without one, the first
 * address before which there is something else.
 */
function findClient(way: readonly string[], trusted: BlockList): string {
  let found = ''
  for (const entry of way.toReversed()) {
    const address = plainAddress(entry)
    if (isIP(address) === 0) break
    found = address
    if (!isIn(trusted, address)) break
  }
  return found
}

/** Node joins repeated headers with commas. */
function splitAddresses(header: string | string[] | undefined): string[] {
  return String(header ?? '')
    .split(',')
    .map((address) => address.trim())
    .filter((address) => address !== '')
}

/** Without the IPv6 form that a socket of both families gives to addresses of IPv4, and without a zone. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
}

function isIn(list: BlockList, address: string): boolean {
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

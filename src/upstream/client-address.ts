import type { IncomingMessage } from 'node:http'
import { type BlockList, isIP, isIPv6 } from 'node:net'
import { makeBlockList } from '../config/network-blocks.ts'

/** The address of a client, as the values of two headers for the node. */
export interface ClientAddress {
  /** `X-Forwarded-For`: the addresses on the way, the client's first, as far as they are known. */
  forwardedFor: string
  /** `X-Real-IP` */
  realIp: string
}

/**
 * Makes a function that finds the address of the client of a request. A node believes both headers: it uses them in its
 * log and passes them to backends (`http_headers`). Any client can write them, so they are read only from trusted
 * proxies. The result is undefined when the connection is closed already.
 * @param trustedProxies CIDR blocks
 */
export function makeAddressReader(
  trustedProxies: readonly string[],
): (incoming: IncomingMessage) => ClientAddress | undefined {
  const trusted = makeBlockList(trustedProxies)
  return ({ socket, headers }) => {
    if (socket.remoteAddress === undefined) return undefined
    const peer = plainAddress(socket.remoteAddress)
    if (trustedProxies.length === 0 || !isIn(trusted, peer)) return { forwardedFor: peer, realIp: peer }
    const way = [...splitAddresses(headers['x-forwarded-for']), peer]
    const [given = '', ...more] = splitAddresses(headers['x-real-ip'])
    const isGiven = more.length === 0 && isIP(given) !== 0
    return { forwardedFor: way.join(', '), realIp: isGiven ? given : findClient(way, trusted) }
  }
}

/**
 * Finds the last address that is not a trusted proxy: the entries before it can be forged. If all are trusted, the
 * result is the first one; an entry that is not an address ends the search.
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

import { isIPv6 } from 'node:net'

/** After this many failures an address has to wait. */
const MAX_FAILURES = 5
/** A failure counts for this long, in ms. */
const WINDOW_MS = 10 * 60_000
/** The most addresses that are remembered. */
const MAX_ADDRESSES = 10_000

/** Limits the guesses of passwords: each address may fail five times in ten minutes. */
export class FailedLogins {
  readonly #now: () => number
  /** The times of the last failures of each address, the address that failed last at the end. */
  readonly #failures = new Map<string, number[]>()

  /** @param now Unix time in ms */
  constructor(now: () => number) {
    this.#now = now
  }

  /** How long an address has to wait before its next attempt, in ms; 0 if it may try now. */
  waitMs(address: string): number {
    const recent = this.#recent(networkOf(address))
    const first = recent.at(-MAX_FAILURES)
    return first === undefined ? 0 : first + WINDOW_MS - this.#now()
  }

  /**
   * Counts a failure. An attempt that takes time is counted at its beginning, so that many at once are limited too.
   * The returned function takes the failure back.
   */
  add(address: string): () => void {
    const network = networkOf(address)
    const atMs = this.#now()
    const recent = [...this.#recent(network), atMs]
    this.#failures.delete(network)
    this.#failures.set(network, recent)
    const [oldest] = this.#failures.keys()
    if (this.#failures.size > MAX_ADDRESSES && oldest !== undefined) this.#failures.delete(oldest)
    return () => this.#takeBack(network, atMs)
  }

  #takeBack(network: string, atMs: number): void {
    const times = this.#failures.get(network)
    const at = times?.indexOf(atMs) ?? -1
    if (times && at !== -1) times.splice(at, 1)
  }

  #recent(network: string): number[] {
    const nowMs = this.#now()
    return (this.#failures.get(network) ?? []).filter((atMs) => nowMs - atMs < WINDOW_MS)
  }
}

/** IPv6 addresses that stand for IPv4 ones (RFC 4291 section 2.5.5.2), as sockets of both families have. */
const MAPPED = /^(?:::|(?:0{1,4}:){5})ffff:(?=\d+\.)/i

/** A client of IPv6 has a whole network of 64 bits, so its addresses count together. */
function networkOf(given: string): string {
  const address = given.replace(MAPPED, '')
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('::')
  const groups = head.split(':').filter((group) => group !== '')
  // The zeros that `::` stands for; 64 bits are four groups.
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(':').filter((group) => group !== '').length
  const all = [...groups, ...Array<string>(missing).fill('0'), ...(tail?.split(':') ?? [])]
  return all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')
}

// What both stores do with a call: they decide key by key, and answer ask by ask.

import type { RatePolicy } from '../sends/rate-limit.ts'
import { type Answer, type Ask, MAX_ASKS } from './rate-limiter.ts'

/** The asks of one key. */
export interface KeyAsks {
  key: string
  /** Each id once, in the order they were asked for. */
  ids: string[]
}

/** A call's asks by key, each key once. */
export interface GroupedAsks {
  groups: KeyAsks[]
  /** For each ask the group it is in, */
  groupOf: number[]
  /** and its id's place there. */
  idOf: number[]
}

/** What a store decided about one key. */
export interface KeyDecision {
  decidedAtMs: number
  /** For each of the key's ids when it was granted; 0 where it was not. */
  grantedAtMs: readonly number[]
  /** Milliseconds until the next grant; looked at only where an id was not granted. */
  waitMs: number
}

/** @throws RangeError for a call that the contract forbids */
export function groupAsks(asks: readonly Ask[], policies: readonly RatePolicy[]): GroupedAsks {
  if (asks.length > MAX_ASKS) throw new RangeError(`${asks.length} asks in one call, at most ${MAX_ASKS}`)
  if (policies.length === 0) throw new RangeError('no policy to ask for')
  const groups: KeyAsks[] = []
  const found = new Map<string, number>()
  // Most keys have one ask, and need no map.
  const idsFound = new Map<number, Map<string, number>>()
  const idOf: number[] = []
  const groupOf = asks.map(({ key, id }) => {
    const known = found.get(key)
    if (known === undefined) {
      found.set(key, groups.length)
      idOf.push(0)
      return groups.push({ key, ids: [id] }) - 1
    }
    const ids = groups[known]?.ids ?? []
    const places = idsFound.get(known) ?? new Map(ids.map((id, place) => [id, place]))
    const place = places.get(id) ?? ids.push(id) - 1
    idsFound.set(known, places.set(id, place))
    idOf.push(place)
    return known
  })
  return { groups, groupOf, idOf }
}

/** The hashes of each group's ids. Asks of a call mostly share the id, which is hashed once. */
export function hashIds(groups: readonly KeyAsks[], hashId: (id: string) => string): string[][] {
  const hashes = new Map<string, string>()
  return groups.map(({ ids }) =>
    ids.map((id) => {
      const known = hashes.get(id)
      if (known !== undefined) return known
      const hash = hashId(id)
      hashes.set(id, hash)
      return hash
    }),
  )
}

/** The answers to a call, in the order of its asks. @param decisions in the order of the groups */
export function answerAsks(
  { groupOf, idOf }: GroupedAsks,
  decisions: readonly KeyDecision[],
  policies: readonly RatePolicy[],
): Answer[] {
  const waits = new Map<number, number[]>()
  return groupOf.map((group, ask) => {
    const id = idOf[ask] ?? 0
    const decision = decisions[group]
    const grantedAtMs = decision?.grantedAtMs[id]
    if (decision === undefined || grantedAtMs === undefined) throw new Error('a store left an ask without an answer')
    const { decidedAtMs } = decision
    if (grantedAtMs > 0) return { kind: 'granted', grantedAtMs, decidedAtMs }
    const waitsOfKey = waits.get(group) ?? waitsOf(decision, policies)
    waits.set(group, waitsOfKey)
    return { kind: 'limited', waitMs: waitsOfKey[id] ?? decision.waitMs, decidedAtMs }
  })
}

/** How long each id of a key has to wait: those that were refused stand in line. */
function waitsOf({ grantedAtMs, waitMs }: KeyDecision, policies: readonly RatePolicy[]): number[] {
  let ahead = 0
  return grantedAtMs.map((grantedAt) => {
    if (grantedAt > 0) return 0
    const behindMs = policies.map(({ rate, intervalMs }) => Math.floor(ahead / rate) * intervalMs)
    ahead++
    return waitMs + Math.max(...behindMs)
  })
}

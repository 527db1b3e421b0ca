// The parts of RateLimiter.take() that both stores share: asks are grouped by their key, the store decides about each
// key, and the answers are given in the order of the asks.
import type { RatePolicy } from '../sends/rate-limit.ts'
import { type Answer, type Ask, MAX_ASKS } from './rate-limiter.ts'

/** The asks of one call that name the same key. */
export interface KeyAsks {
  key: string
  /** The ids of the asks, each once, in the order of the asks. */
  ids: string[]
}

/** The asks of one call, grouped by their key. */
export interface GroupedAsks {
  /** The groups of asks: one for each key of the call. */
  groups: KeyAsks[]
  /** For each ask of the call the index of its group. */
  groupOf: number[]
  /** For each ask of the call the index of its id in its group. */
  idOf: number[]
}

/** The decision of a store about one key. */
export interface KeyDecision {
  /** The time of the decision, by the store's clock in Unix ms. */
  decidedAtMs: number
  /** For each id the time of its grant in Unix ms; 0: it was not granted. */
  grantedAtMs: readonly number[]
  /** Milliseconds until the next grant for the key is possible. Used only if an id was not granted. */
  waitMs: number
}

/** Groups the asks of a call by their key. @throws RangeError if there is no policy, or more than MAX_ASKS asks */
export function groupAsks(asks: readonly Ask[], policies: readonly RatePolicy[]): GroupedAsks {
  if (asks.length > MAX_ASKS) throw new RangeError(`${asks.length} asks in one call, ${MAX_ASKS} are allowed`)
  if (policies.length === 0) throw new RangeError('a call without a policy')
  const groups: KeyAsks[] = []
  const found = new Map<string, number>()
  // The ids of keys with several asks. Most keys have one ask and need no map.
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

/** Hashes the ids of each group. Most asks of a call have the same id, which is then hashed once. */
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

/**
 * The answers to a call, in the order of its asks.
 * @param decisions the decisions about the keys, in the order of the groups
 */
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
    if (decision === undefined || grantedAtMs === undefined) throw new Error('the store did not answer each ask')
    const { decidedAtMs } = decision
    if (grantedAtMs > 0) return { kind: 'granted', grantedAtMs, decidedAtMs }
    const waitsOfKey = waits.get(group) ?? waitsOf(decision, policies)
    waits.set(group, waitsOfKey)
    return { kind: 'limited', waitMs: waitsOfKey[id] ?? decision.waitMs, decidedAtMs }
  })
}

/**
 * The wait in ms for each id of a key. Ids that were not granted will be granted in their order, so a later one waits
 * longer.
 */
function waitsOf({ grantedAtMs, waitMs }: KeyDecision, policies: readonly RatePolicy[]): number[] {
  let ahead = 0
  return grantedAtMs.map((grantedAt) => {
    if (grantedAt > 0) return 0
    const behindMs = policies.map(({ rate, intervalMs }) => Math.floor(ahead / rate) * intervalMs)
    ahead++
    return waitMs + Math.max(...behindMs)
  })
}

// What both stores do with a call: they decide key by key, and answer ask by ask.
import { type Answer, type Ask, MAX_ASKS, type RatePolicy } from './rate-limiter.ts'

/** The asks of one key. */
export interface KeyAsks {
  key: string
  /** Each id once, in the order they were asked for. */
  ids: string[]
}

/** A call's asks by key, each key once. */
export interface GroupedAsks {
  groups: KeyAsks[]
  /** For each ask the group it is in, and its id's place there. */
  places: { group: number; id: number }[]
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
  const found = new Map<string, { group: number; ids: string[]; places: Map<string, number> | undefined }>()
  const places = asks.map(({ key, id }) => {
    const known = found.get(key)
    if (!known) {
      const ids = [id]
      found.set(key, { group: groups.length, ids, places: undefined })
      return { group: groups.push({ key, ids }) - 1, id: 0 }
    }
    // Most keys have one ask, and need no map.
    known.places ??= new Map([[known.ids[0] ?? '', 0]])
    const place = known.places.get(id) ?? known.ids.push(id) - 1
    known.places.set(id, place)
    return { group: known.group, id: place }
  })
  return { groups, places }
}

/** The answers to a call, in the order of its asks. @param decisions in the order of the groups */
export function answerAsks(
  { groups, places }: GroupedAsks,
  decisions: readonly KeyDecision[],
  policies: readonly RatePolicy[],
): Answer[] {
  const waits = groups.map((_, group) => {
    const decision = decisions[group]
    return decision ? waitsOf(decision, policies) : []
  })
  return places.map(({ group, id }) => {
    const decision = decisions[group]
    const grantedAtMs = decision?.grantedAtMs[id]
    if (decision === undefined || grantedAtMs === undefined) throw new Error('a store left an ask without an answer')
    const { decidedAtMs } = decision
    return grantedAtMs > 0
      ? { kind: 'granted', grantedAtMs, decidedAtMs }
      : { kind: 'limited', waitMs: waits[group]?.[id] ?? decision.waitMs, decidedAtMs }
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

// A model of the rate limiter: the rules of the contract on lists in memory, which are counted again for each ask.
import type { Answer, Ask } from '../../src/limits/rate-limiter.ts'
import type { RatePolicy } from '../../src/sends/rate-limit.ts'

interface Grant {
  id: string
  atMs: number
}

interface KeyState {
  grants: Grant[]
  keepCount: number
  keepMs: number
}

export class LimiterModel {
  readonly #keys = new Map<string, KeyState>()

  /** The answers to a call. @param decidedAtMs the time of each answer by the clock of the store */
  take(asks: readonly Ask[], policies: readonly RatePolicy[], decidedAtMs: readonly number[]): Answer[] {
    const ahead = new Map<string, Set<string>>()
    const seen = new Set<string>()
    return asks.map(({ key, id }, index) => {
      const nowMs = decidedAtMs[index] ?? 0
      const state = this.#keys.get(key) ?? { grants: [], keepCount: 0, keepMs: 0 }
      this.#keys.set(key, state)
      if (!seen.has(key)) forget(state, policies, nowMs)
      seen.add(key)
      const earlier = state.grants.find((grant) => grant.id === id)
      if (earlier) return { kind: 'granted', grantedAtMs: earlier.atMs, decidedAtMs: nowMs }
      if (isAllowed(state.grants, policies, nowMs)) {
        state.grants.push({ id, atMs: nowMs })
        return { kind: 'granted', grantedAtMs: nowMs, decidedAtMs: nowMs }
      }
      const line = ahead.get(key) ?? new Set()
      ahead.set(key, line.add(id))
      return { kind: 'limited', waitMs: waitOf(state, policies, nowMs, [...line].indexOf(id)), decidedAtMs: nowMs }
    })
  }
}

function forget(state: KeyState, policies: readonly RatePolicy[], nowMs: number): void {
  state.grants = state.grants.slice(-state.keepCount).filter(({ atMs }) => atMs > nowMs - state.keepMs)
  // A key without grants is deleted, with the needs of earlier policies.
  if (state.grants.length === 0) Object.assign(state, { keepCount: 0, keepMs: 0 })
  state.keepCount = Math.max(state.keepCount, ...policies.map(({ rate }) => rate))
  state.keepMs = Math.max(state.keepMs, ...policies.map(({ intervalMs }) => intervalMs))
}

function isAllowed(grants: readonly Grant[], policies: readonly RatePolicy[], atMs: number): boolean {
  return policies.every(
    ({ rate, intervalMs }) => grants.filter((grant) => grant.atMs > atMs - intervalMs).length < rate,
  )
}

function waitOf({ grants }: KeyState, policies: readonly RatePolicy[], nowMs: number, ahead: number): number {
  let waitMs = 1
  while (!isAllowed(grants, policies, nowMs + waitMs)) waitMs++
  return waitMs + Math.max(...policies.map(({ rate, intervalMs }) => Math.floor(ahead / rate) * intervalMs))
}

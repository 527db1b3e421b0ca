// The contract that every implementation of the rate limiter keeps.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Answer, type Ask, MAX_ASKS, type RateLimiter } from '../../src/limits/rate-limiter.ts'
import type { RatePolicy } from '../../src/sends/rate-limit.ts'
import { fc } from '../support/fast-check.ts'
import { modelProperty } from './random-calls.ts'

export interface LimiterUnderTest {
  /** Opens a limiter like that of another worker, with its own connection. */
  open(): RateLimiter
  /** Deletes keys with expired grants only, if the store does not do that by itself. */
  forget(): Promise<void>
  /** The number of stored grants of all keys. */
  countGrants(): Promise<number>
  /** Deletes all keys. */
  empty(): Promise<void>
  /** Adds `ms` to the times of all grants. A clock that is set back has the same effect. */
  moveAhead(ms: number): Promise<void>
  close(): Promise<void>
}

const HOUR_MS = 3_600_000
const WORKERS = 8

export function describeRateLimiter(name: string, start: () => Promise<LimiterUnderTest>) {
  describe(`the rate limiter on ${name}`, () => {
    let store: LimiterUnderTest
    let limiter: RateLimiter
    let key: string

    beforeAll(async () => {
      store = await start()
    })
    afterAll(() => store.close())
    beforeEach(() => {
      limiter = store.open()
      key = `key ${randomUUID()}`
    })

    const ask = (...ids: (string | number)[]): Ask[] => ids.map((id) => ({ key, id: `${id}` }))

    test('grants the asks of a key in their order, up to the rate', async () => {
      expect(kinds(await limiter.take(ask(1, 2, 3), perHour(2)))).toEqual(['granted', 'granted', 'limited'])
      expect(kinds(await limiter.take(ask(4), perHour(2)))).toEqual(['limited'])
    })

    test('returns no answers to a call without asks', async () => {
      expect(await limiter.take([], perHour(1))).toEqual([])
    })

    test('refuses calls that are too large, or without a policy', async () => {
      await expect(limiter.take(ask(...Array(MAX_ASKS + 1).keys()), perHour(1))).rejects.toThrow(RangeError)
      await expect(limiter.take(ask(1), [])).rejects.toThrow(RangeError)
    })

    test('answers a thousand asks in one call, for different keys or for one key', async () => {
      const keys = Array.from({ length: MAX_ASKS }, (_, n) => ({ key: `${key} ${n}`, id: '1' }))
      expect(new Set(kinds(await limiter.take(keys, perHour(1))))).toEqual(new Set(['granted']))
      const shared = ask(...Array(MAX_ASKS).keys())
      expect(new Set(kinds(await limiter.take(shared, perHour(1000))))).toEqual(new Set(['granted']))
      expect(kinds(await limiter.take(ask('one more'), perHour(1000)))).toEqual(['limited'])
      expect(new Set(kinds(await limiter.take(shared, perHour(1000))))).toEqual(new Set(['granted']))
    })

    test('limits each key separately, including keys with unusual characters', async () => {
      const odd = [
        '',
        ' ',
        'a',
        'A',
        'a ',
        '{a}',
        '"a"',
        "'",
        'a,b',
        'a\\',
        'a\nb',
        'a\tb',
        'NULL',
        'ü',
        '😀',
        '\uffee',
      ]
      const asks = odd.map((text) => ({ key: `${key}${text}`, id: '1' }))
      expect(new Set(kinds(await limiter.take(asks, perHour(1))))).toEqual(new Set(['granted']))
      const others = asks.map((ask) => ({ ...ask, id: '2' }))
      expect(new Set(kinds(await limiter.take(others, perHour(1))))).toEqual(new Set(['limited']))
    })

    test('grants asks that all policies allow, and charges no policy for an ask that one refuses', async () => {
      const both = [...perHour(1), ...perHour(3)]
      expect(kinds(await limiter.take(ask(1, 2, 3, 4, 5), both))).toEqual(['granted', ...Array(4).fill('limited')])
      expect(kinds(await limiter.take(ask(6, 7, 8), perHour(3)))).toEqual(['granted', 'granted', 'limited'])
    })

    test('counts the grants of a key under other policies', async () => {
      await limiter.take(ask(1), perHour(1))
      expect(kinds(await limiter.take(ask(2, 3), perHour(2)))).toEqual(['granted', 'limited'])
      expect(kinds(await limiter.take(ask(4), perHour(1)))).toEqual(['limited'])
    })

    test('repeats a grant for any worker that asks again, and does not charge it', async () => {
      const [first] = await limiter.take(ask(1), perHour(2))
      const again = await store.open().take(ask(1, 1, 2, 1, 3), perHour(2))
      expect(kinds(again)).toEqual(['granted', 'granted', 'granted', 'granted', 'limited'])
      expect(grantTimes(again).slice(0, 2)).toEqual(grantTimes([first, first]))
    })

    test('counts a repeated ask in a call once', async () => {
      const answers = await limiter.take(ask(1, 1, 2, 3, 3, 4), perHour(2))
      expect(kinds(answers)).toEqual(['granted', 'granted', 'granted', 'limited', 'limited', 'limited'])
      expect(waits(answers)[0]).toBe(waits(answers)[1])
    })

    test('returns waits exact to the millisecond, longer ones for the asks behind the first', async () => {
      const policies = [{ rate: 2, intervalMs: HOUR_MS }]
      const [granted, ...limited] = await limiter.take(ask(1, 2, 3, 4, 5, 6, 7), policies)
      const [grantedAtMs = 0] = grantTimes([granted])
      const firstMs = grantedAtMs + HOUR_MS - (granted?.decidedAtMs ?? 0)
      expect(waits(limited)).toEqual([0, 0, HOUR_MS, HOUR_MS, 2 * HOUR_MS].map((ms) => firstMs + ms))
    })

    test('reads the wait of a new ask without a grant', async () => {
      const policies = [...perHour(2), { rate: 3, intervalMs: 2 * HOUR_MS }]
      expect(await limiter.readWait(key, policies)).toBe(0)
      await limiter.take(ask(1), policies)
      expect(await limiter.readWait(key, policies)).toBe(0)
      await limiter.take(ask(2), policies)
      const waitMs = await limiter.readWait(key, policies)
      expect(waitMs).toBeLessThanOrEqual(HOUR_MS)
      expect(waits(await limiter.take(ask(3), policies))[0]).toBeLessThanOrEqual(waitMs)
      expect(waitMs).toBeGreaterThan(HOUR_MS - 60_000)
      expect(await limiter.readWait(key, perHour(3))).toBe(0)
    })

    test('grants an ask after the wait that it returned', async () => {
      const policies = [{ rate: 1, intervalMs: 60 }]
      const first = await limiter.take(ask(1), policies)
      for (;;) {
        const second = await limiter.take(ask(2), policies)
        const [waitMs] = waits(second)
        if (waitMs === undefined) return expectAllowed(grantTimes([...first, ...second]), policies)
        expect(waitMs).toBeLessThanOrEqual(60)
        await delay(waitMs)
      }
    })

    test('limits a key for at most its interval after the clock is set back, and makes no extra grants', async () => {
      const policies = perHour(2)
      await limiter.take(ask(1), policies)
      await store.moveAhead(24 * HOUR_MS)
      const answers = await limiter.take(ask(2, 3), policies)
      expect(kinds(answers)).toEqual(['granted', 'limited'])
      expect(waits(answers)[0]).toBe(HOUR_MS)
      expect(waits(await limiter.take(ask(3), policies))[0]).toBeLessThanOrEqual(HOUR_MS)
    })

    test('deletes a key after its grants are older than the interval, not before', async () => {
      await store.empty()
      await limiter.take(ask(1, 2), [{ rate: 2, intervalMs: 30 }])
      await limiter.take([{ key: `${key} kept`, id: '1' }], perHour(1))
      await vi.waitFor(async () => {
        await store.forget()
        expect(await store.countGrants()).toBe(1)
      })
      expect(kinds(await limiter.take([{ key: `${key} kept`, id: '2' }], perHour(1)))).toEqual(['limited'])
    })

    test('stores no more grants of a key than its widest policies need', async () => {
      await store.empty()
      await limiter.take(ask('wide'), perHour(1))
      for (let call = 0; call < 30; call++) await limiter.take(ask(call, `${call} too`), [{ rate: 3, intervalMs: 1 }])
      // The grants that the policies need, and those of the last call.
      expect(await store.countGrants()).toBeLessThanOrEqual(3 + 2)
    })

    test('agrees with the model for any sequence of calls', { timeout: 120_000 }, async () => {
      await fc.assert(modelProperty(limiter, 'one set'), { numRuns: 40 })
      await fc.assert(modelProperty(limiter, 'mixed'), { numRuns: 40 })
    })

    test('makes the same grants when other workers repeat calls that failed after their work', async () => {
      for (let call = 0; call < 20; call++) {
        const asks = ask(call, `${call} too`)
        // The test ignores this answer, like one that is lost.
        await limiter.take(asks, perHour(15))
        const answers = await store.open().take(asks, perHour(15))
        expect(kinds(answers)).toEqual([
          call * 2 < 15 ? 'granted' : 'limited',
          call * 2 + 1 < 15 ? 'granted' : 'limited',
        ])
      }
    })

    test('breaks no policy when eight workers use three keys, and grants each ask in the end', async () => {
      const policies = [
        { rate: 2, intervalMs: 20 },
        { rate: 5, intervalMs: 120 },
      ]
      const keys = [0, 1, 2].map((n) => `${key} ${n}`)
      const work = async (_: unknown, worker: number) => {
        const granted: { key: string; atMs: number }[] = []
        // Workers use the keys in different orders, so that wrong locking would end in a deadlock.
        const order = worker % 2 === 0 ? keys : keys.toReversed()
        let open = Array.from({ length: 4 }, (_, n) => order.map((key) => ({ key, id: `${worker} ${n}` }))).flat()
        const mine = store.open()
        while (open.length > 0) {
          const answers = await mine.take(open, policies)
          open.forEach(({ key }, index) => {
            for (const atMs of grantTimes([answers[index]])) granted.push({ key, atMs })
          })
          open = open.filter((_, index) => answers[index]?.kind === 'limited')
          await delay(Math.min(...waits(answers), 20))
        }
        return granted
      }
      const granted = (await Promise.all(Array.from({ length: WORKERS }, work))).flat()
      for (const key of keys) {
        const times = granted.filter((grant) => grant.key === key).map(({ atMs }) => atMs)
        expect(times).toHaveLength(WORKERS * 4)
        expectAllowed(times, policies)
      }
    })

    test('grants each new key up to its rate when eight workers use the keys in different orders', async () => {
      const keys = Array.from({ length: 300 }, (_, n) => `${key} ${n}`)
      const work = (_: unknown, worker: number) => {
        const order = worker % 2 === 0 ? keys : keys.toReversed()
        return store.open().take(
          order.map((key) => ({ key, id: `${worker}` })),
          perHour(3),
        )
      }
      const answers = (await Promise.all(Array.from({ length: WORKERS }, work))).flat()
      expect(kinds(answers).filter((kind) => kind === 'granted')).toHaveLength(keys.length * 3)
    })
  })
}

function perHour(rate: number): RatePolicy[] {
  return [{ rate, intervalMs: HOUR_MS }]
}

function kinds(answers: readonly Answer[]): Answer['kind'][] {
  return answers.map(({ kind }) => kind)
}

function waits(answers: readonly Answer[]): number[] {
  return answers.flatMap((answer) => (answer.kind === 'limited' ? [answer.waitMs] : []))
}

function grantTimes(answers: readonly (Answer | undefined)[]): number[] {
  return answers.flatMap((answer) => (answer?.kind === 'granted' ? [answer.grantedAtMs] : []))
}

/** Fails when any interval of a policy holds more grants than its rate. */
function expectAllowed(times: readonly number[], policies: readonly RatePolicy[]): void {
  const sorted = times.toSorted((a, b) => a - b)
  for (const { rate, intervalMs } of policies) {
    for (const [index, time] of sorted.entries()) {
      expect((sorted[index + rate] ?? Number.POSITIVE_INFINITY) - time).toBeGreaterThanOrEqual(intervalMs)
    }
  }
}

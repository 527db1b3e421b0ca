import { describe, expect, test } from 'vitest'
import type { Answer, Ask, RateLimiter } from '../limits/rate-limiter.ts'
import type { KeyTemplate } from '../sends/rate-limit.ts'
import type { SendContent } from '../sends/send-content.ts'
import { admitTargets, roundUpWait } from './admit-targets.ts'

const HOUR_MS = 3_600_000
const CONTENT: SendContent = { notifications: new Map(), analyticsUid: '', isReliable: false }
/** 09:00 to 10:00. */
const MORNING = { afterMs: 9 * HOUR_MS, beforeMs: 10 * HOUR_MS, sendsWithoutZone: false }
const EIGHT_UTC = Date.UTC(2026, 0, 5, 8)

const targetsIn = (...zones: string[]) =>
  zones.map((zone, place) => ({ line: `d${place}\tt${place}\tu${place}\tios\t\t\t${zone}\t`, place }))
const never: Pick<RateLimiter, 'take'> = {
  take: () => Promise.reject(new Error('no grant may be taken')),
}

describe('a time limit', () => {
  const admit = (content: Partial<SendContent>, ...zones: string[]) =>
    admitTargets({ now: () => EIGHT_UTC }, { uid: 'u' }, { ...CONTENT, ...content }, targetsIn(...zones))

  test('admits targets inside their window, and delays the others until it opens, grouped by delay', async () => {
    const zones = ['Europe/Berlin', 'UTC', 'Asia/Tokyo', 'Africa/Abidjan', 'Europe/Paris']
    const { admitted, delayed, dropped } = await admit({ timeLimit: MORNING }, ...zones)
    expect(admitted.map(({ place }) => place)).toEqual([0, 4])
    expect(delayed.map(({ delayMs, targets }) => [delayMs / HOUR_MS, targets.map(({ place }) => place)])).toEqual([
      [1, [1, 3]],
      [16, [2]],
    ])
    expect([...dropped]).toEqual([])
  })

  test.each([
    [false, [], [['no_timezone', 2]]],
    [true, [0, 1], []],
  ])('with sendsWithoutZone %j decides on devices without a valid zone', async (sendsWithoutZone, places, drops) => {
    const { admitted, dropped } = await admit({ timeLimit: { ...MORNING, sendsWithoutZone } }, '', 'Mars/Olympus')
    expect(admitted.map(({ place }) => place)).toEqual(places)
    expect([...dropped].map(([reason, targets]) => [reason, targets.length])).toEqual(drops)
  })
})

/** A limiter that grants everything and records the asks. */
function makeGranter() {
  const asked: Ask[] = []
  const rateLimiter: Pick<RateLimiter, 'take'> = {
    take: async (asks) => {
      asked.push(...asks)
      return asks.map((): Answer => ({ kind: 'granted', grantedAtMs: 1, decidedAtMs: 1 }))
    },
  }
  return { asked, rateLimiter }
}

const limitOf = (key: KeyTemplate) => ({ key, policies: [{ rate: 1, intervalMs: 1 }], isDropped: false })

test('a target outside its window takes no grant of a rate limit', async () => {
  const content = { ...CONTENT, timeLimit: MORNING, rateLimit: limitOf(['k']) }
  const { asked, rateLimiter } = makeGranter()
  const targets = targetsIn('UTC', 'Europe/Berlin')
  const { admitted } = await admitTargets({ now: () => EIGHT_UTC, rateLimiter }, { uid: 'u' }, content, targets)
  expect(admitted.map(({ place }) => place)).toEqual([1])
  expect(asked.map(({ id }) => id)).toEqual(['u d1'])
})

test('two sends with the same key, and two devices that share a key, take different grants', async () => {
  const ask = async (uid: string, key: KeyTemplate) => {
    const { asked, rateLimiter } = makeGranter()
    const content = { ...CONTENT, rateLimit: limitOf(key) }
    await admitTargets({ now: () => 0, rateLimiter }, { uid }, content, targetsIn('', ''))
    return asked.map(({ key, id }) => `${key}: ${id}`)
  }
  for (const key of [['k'], [{ variable: 'user' }], [{ variable: 'id' }], ['a ', { variable: 'id' }]] as const) {
    expect(new Set([...(await ask('u', key)), ...(await ask('v', key))]).size).toBe(4)
    expect(await ask('u', key)).toEqual(await ask('u', key))
  }
})

test('a send without limits takes no grant', async () => {
  const targets = targetsIn('', '')
  const deps = { now: () => EIGHT_UTC, rateLimiter: never }
  expect((await admitTargets(deps, { uid: 'u' }, CONTENT, targets)).admitted).toEqual(targets)
})

test('waits are rounded up to few different values, by a quarter at most', () => {
  const waits = Array.from({ length: 60_000 }, (_, index) => index + 1)
  const rounded = waits.map(roundUpWait)
  rounded.forEach((wait, index) => {
    expect(wait).toBeGreaterThanOrEqual(waits[index] ?? 0)
    expect(wait).toBeLessThanOrEqual(((waits[index] ?? 0) * 5) / 4)
  })
  expect(new Set(rounded.filter((wait) => wait > 30_000)).size).toBeLessThanOrEqual(5)
})

import { expect, test } from 'vitest'
import type { BatchClaim } from '../queue/batch.ts'
import { FULL_DUTY } from '../queue/lane.ts'
import { LaneWork } from './lane-work.ts'

/** Targets of small sends that a worker with both lanes has in flight. */
const SMALL_TARGETS = 500
/** Batches of small sends of one claim, at most. */
const MOST_CLAIMED = 64

const claimOf = (count: number): BatchClaim => ({
  id: '1',
  uid: 'u',
  analyticsUid: 'u',
  lane: 'small',
  provider: 'fcm',
  targetKind: 'token',
  count,
  targets: { kind: 'lines', lines: [] },
  fence: 1,
  attempt: 1,
  isRetry: false,
  ambiguousAttempts: 0,
  ageMs: 0,
  expiresInMs: undefined,
  sendState: 'live',
  hasExclusions: false,
  finished: undefined,
  finishedNote: '',
  isProbe: false,
})

/** The work of the lane of small sends, and batches that end when the test says so. */
function makeWork(concurrency = 16) {
  const work = new LaneWork({ lane: 'small', duty: FULL_DUTY, concurrency, maxBatchTargets: 500 })
  const ends: (() => void)[] = []
  const begin = (count: number, targets: number) => {
    work.onClaims(Array.from({ length: count }, () => claimOf(targets)))
    for (let batch = 0; batch < count; batch++) {
      work.add(new Promise((resolve) => ends.push(resolve)), targets)
    }
  }
  const end = async (count: number) => {
    const freed = work.freed()
    for (const resolve of ends.splice(0, count)) resolve()
    await freed
  }
  return { work, begin, end }
}

test('the first claim expects the largest small sends, and the next one sends like those before', async () => {
  const { work, begin, end } = makeWork()
  expect(work.room()).toBe(SMALL_TARGETS / 100)
  begin(5, 2)
  expect(work.room()).toBe(MOST_CLAIMED)
  begin(10, 50)
  expect(work.room()).toBe(0)
  await end(15)
  expect(work.room()).toBe(SMALL_TARGETS / 50)
})

test('nothing is claimed for each batch that ends while most of the room is taken', async () => {
  const { work, begin, end } = makeWork()
  begin(SMALL_TARGETS, 1)
  const rooms: number[] = []
  for (let ended = 0; ended < 20; ended++) {
    rooms.push(work.room())
    await end(1)
  }
  expect(rooms.slice(14, 18)).toEqual([0, 0, 16, 17])
})

test('a low concurrency limits the targets of small sends, and an idle lane claims at least one batch', async () => {
  const { work, begin, end } = makeWork(1)
  expect(work.room()).toBe(1)
  begin(1, 100)
  expect(work.room()).toBe(0)
  await end(1)
  expect(work.room()).toBe(1)
})

test('small sends gather after a claim that took all of them, and batches of broadcasts never wait', () => {
  const { work } = makeWork()
  const broadcasts = new LaneWork({ lane: 'broadcast', duty: FULL_DUTY, concurrency: 16, maxBatchTargets: 500 })
  expect(work.gatheringMs(3, MOST_CLAIMED)).toBeGreaterThan(0)
  expect(work.gatheringMs(MOST_CLAIMED, MOST_CLAIMED)).toBe(0)
  expect(broadcasts.gatheringMs(1, 5)).toBe(0)
})

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Announcements } from './announcements.ts'
import { FULL_DUTY } from './lane.ts'
import { WorkWatch } from './work-watch.ts'

const POLL_MS = 500
const NONE = Number.POSITIVE_INFINITY

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A loop that never finds work. `ended` has the times of its looks, in ms. */
function startLoop(untilDue: () => number) {
  const announcements = new Announcements()
  const stop = new AbortController()
  const queue = {
    waitForWork: announcements.wait.bind(announcements),
    untilDue: async () => untilDue(),
  }
  const watch = new WorkWatch({
    queue,
    duty: FULL_DUTY,
    lane: 'small',
    kind: 'batches',
    pollMs: POLL_MS,
    signal: stop.signal,
  })
  const looks: number[] = []
  const beganAtMs = Date.now()
  const run = async () => {
    while (!stop.signal.aborted) {
      watch.listen()
      looks.push(Date.now() - beganAtMs)
      await watch.wait(['fcm'])
    }
  }
  const running = run()
  const stopLoop = () => {
    stop.abort()
    return running
  }
  return { announcements, looks, stop: stopLoop }
}

test('a loop without work looks at the queue every five seconds', async () => {
  const { looks, stop } = startLoop(() => NONE)
  await vi.advanceTimersByTimeAsync(16_000)
  expect(looks).toEqual([0, 500, 5500, 10_500, 15_500])
  await stop()
})

test('it looks when work becomes due', async () => {
  let dueMs = 1234
  const { looks, stop } = startLoop(() => dueMs)
  await vi.advanceTimersByTimeAsync(1734)
  dueMs = NONE
  await vi.advanceTimersByTimeAsync(1)
  expect(looks).toEqual([0, 500, 1734])
  await stop()
})

test('it looks every poll interval while the queue does not know when work is due', async () => {
  const { looks, stop } = startLoop(() => 0)
  await vi.advanceTimersByTimeAsync(2000)
  expect(looks).toEqual([0, 500, 1000, 1500, 2000])
  await stop()
})

test('an announcement ends each wait', async () => {
  const { announcements, looks, stop } = startLoop(() => NONE)
  await vi.advanceTimersByTimeAsync(600)
  announcements.announce('small')
  await vi.advanceTimersByTimeAsync(0)
  expect(looks).toEqual([0, 500, 600])
  await stop()
})

test('an announcement of work for other loops ends no wait', async () => {
  const { announcements, looks, stop } = startLoop(() => NONE)
  await vi.advanceTimersByTimeAsync(600)
  announcements.announce('small', 'sends')
  await vi.advanceTimersByTimeAsync(100)
  announcements.announce('small', 'batches')
  await vi.advanceTimersByTimeAsync(0)
  expect(looks).toEqual([0, 500, 700])
  await stop()
})

test('an announcement during a look is not missed', async () => {
  const announcements = new Announcements()
  const signal = new AbortController().signal
  const queue = { waitForWork: announcements.wait.bind(announcements), untilDue: async () => NONE }
  const watch = new WorkWatch({ queue, duty: FULL_DUTY, lane: 'small', kind: 'batches', pollMs: POLL_MS, signal })
  watch.listen()
  announcements.announce('small')
  await vi.advanceTimersByTimeAsync(0)
  // With the fake timers a missed announcement would never end this wait.
  await watch.wait(['fcm'])
})

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { makeTestLogger } from '../../tests/support/run-log.ts'
import { WorkerScaling } from './worker-scaling.ts'

const IDLE_MS = 1000

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function startScaling() {
  const events: string[] = []
  let setReady = (_isReady: boolean) => {}
  const own = {
    start: () => void events.push('own started'),
    stop: async () => void events.push('own stopped'),
    isReady: () => true,
  }
  const processes = {
    start: () => void events.push('processes started'),
    stop: async () => {
      setReady(false)
      events.push('processes stopped')
    },
    isReady: true,
    whenReady: () =>
      new Promise<boolean>((resolve) => {
        setReady = resolve
      }),
  }
  const scaling = new WorkerScaling({ own, processes, graceMs: 1, logger: makeTestLogger(), idleMs: IDLE_MS })
  const exit = () => {
    processes.isReady = false
    scaling.onExit()
  }
  const becomeReady = () => {
    processes.isReady = true
    setReady(true)
  }
  return { scaling, events, becomeReady, exit }
}

const settle = () => vi.advanceTimersByTimeAsync(0)

test('the own process sends until the worker processes are ready', async () => {
  const { scaling, events, becomeReady } = startScaling()
  scaling.onLoad()
  await settle()
  expect([events, scaling.isAlone]).toEqual([['own started', 'processes started'], true])
  becomeReady()
  await settle()
  expect([events.at(-1), scaling.isAlone]).toEqual(['own stopped', false])
})

test('the own process sends again before idle worker processes end', async () => {
  const { scaling, events, becomeReady } = startScaling()
  scaling.onLoad()
  await settle()
  becomeReady()
  await vi.advanceTimersByTimeAsync(IDLE_MS - 1)
  scaling.onLoad()
  await vi.advanceTimersByTimeAsync(IDLE_MS - 1)
  expect(events.at(-1)).toBe('own stopped')
  await vi.advanceTimersByTimeAsync(1)
  expect([events.slice(-2), scaling.isAlone]).toEqual([['own started', 'processes stopped'], true])
  scaling.onLoad()
  await settle()
  expect(events.at(-1)).toBe('processes started')
})

test('the own process sends while all worker processes for all sends are restarted', async () => {
  const { scaling, events, becomeReady, exit } = startScaling()
  scaling.onLoad()
  await settle()
  becomeReady()
  await settle()
  scaling.onExit()
  await settle()
  expect([events.at(-1), scaling.isAlone]).toEqual(['own stopped', false])
  exit()
  await settle()
  expect([events.at(-1), scaling.isAlone]).toEqual(['own started', true])
  becomeReady()
  await settle()
  expect([events.slice(-2), scaling.isAlone]).toEqual([['own started', 'own stopped'], false])
})

test('worker processes that never get ready end when there is no load', async () => {
  const { scaling, events } = startScaling()
  scaling.onLoad()
  await vi.advanceTimersByTimeAsync(IDLE_MS)
  expect([new Set(events), scaling.isAlone]).toEqual([
    new Set(['own started', 'processes started', 'processes stopped']),
    true,
  ])
  scaling.onLoad()
  await settle()
  expect(events.at(-1)).toBe('processes started')
})

test('a stop during the start of worker processes stops all, and nothing starts again', async () => {
  const { scaling, events } = startScaling()
  scaling.onLoad()
  await settle()
  await scaling.stop(1)
  scaling.onLoad()
  await vi.advanceTimersByTimeAsync(2 * IDLE_MS)
  expect(events).toEqual(['own started', 'processes started', 'own stopped', 'processes stopped'])
})

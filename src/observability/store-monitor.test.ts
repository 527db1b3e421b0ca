import { pino } from 'pino'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { keepLines } from '../../tests/support/run-log.ts'
import { StoreMonitor, type StoreOutage } from './store-monitor.ts'

const DOWN: StoreOutage = { cause: 'down', mend: 'start it', isPartial: false }
const FULL: StoreOutage = { cause: 'full', mend: 'free space', isPartial: true }

class OutageError extends Error {
  readonly outage: StoreOutage

  constructor(outage: StoreOutage) {
    super(outage.cause)
    this.outage = outage
  }
}

let lines: string[]
let ask: () => Promise<void>
let reconnects: number
let monitor: StoreMonitor
/** Added to the clock: the process was stopped. */
let stoppedMs: number

beforeEach(() => {
  vi.useFakeTimers()
  lines = []
  reconnects = 0
  stoppedMs = 0
  ask = async () => undefined
  monitor = new StoreMonitor({
    store: 'redis',
    checks: [{ ask: () => ask(), reconnect: () => reconnects++, close: async () => undefined }],
    explain: (error) => (error instanceof OutageError ? error.outage : undefined),
    logger: pino(
      { level: 'info' },
      keepLines((line) => lines.push(describeLine(line))),
    ),
    now: () => Date.now() + stoppedMs,
  })
})

afterEach(async () => {
  const stopped = monitor.stop()
  await pass(3)
  await stopped
  vi.useRealTimers()
})

function describeLine(line: string): string {
  const { msg, cause = '' } = JSON.parse(line)
  return `${msg} ${cause}`.trim()
}

const failWith = (outage: StoreOutage) => {
  ask = () => Promise.reject(new OutageError(outage))
}
const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000)

it('is up until two checks in a row fail, and again after one success', async () => {
  failWith(DOWN)
  await pass(1)
  expect(monitor.isUp).toBe(true)
  await pass(1)
  expect([monitor.isUp, lines]).toEqual([false, ['store: outage began down']])
  ask = async () => undefined
  await pass(1)
  expect(monitor.isUp).toBe(true)
  await pass(10)
  expect(lines).toEqual(['store: outage began down', 'store: outage ended'])
})

it('is down six seconds after the last answer, and connects again for each check', async () => {
  ask = () => new Promise(() => undefined)
  // The deadline of a check ends in the turn after its timer.
  await pass(6.001)
  expect([monitor.isUp, reconnects]).toEqual([false, 2])
})

it('learns nothing from a check that ended late because this process was stopped', async () => {
  ask = () => new Promise(() => undefined)
  for (let check = 0; check < 5; check++) {
    await pass(1.5)
    stoppedMs += 10_000
    await pass(1.5)
  }
  expect([monitor.isUp, lines]).toEqual([true, []])
})

it('is up during a partial outage, which ends with the refusals of checks', async () => {
  failWith(FULL)
  await pass(20)
  monitor.onFailure(FULL)
  expect([monitor.isUp, lines]).toEqual([true, ['store: outage began full']])
  ask = async () => undefined
  await pass(12)
  expect(lines).toEqual(['store: outage began full', 'store: outage ended'])
})

it('ends a partial outage that checks do not notice after a minute without refusals', async () => {
  monitor.onFailure(FULL)
  await pass(50)
  monitor.onFailure(FULL)
  await pass(55)
  expect(lines).toEqual(['store: outage began full'])
  await pass(17)
  expect(lines).toEqual(['store: outage began full', 'store: outage ended'])
})

it('does not prolong an outage by work that fails late', async () => {
  failWith(DOWN)
  await pass(2)
  ask = async () => undefined
  await pass(5)
  monitor.onFailure(FULL)
  await pass(12)
  expect(lines).toEqual(['store: outage began down', 'store: outage ended'])
})
